// Each fuzz target for a moment: what it starts from is played in any case, so what was found before
// is not found again. The long run is test/long/fuzz.test.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FUZZ_FINDINGS } from '../support/fuzz-findings.ts';
import { FUZZ_TARGETS, runFuzz } from '../support/fuzz-process.ts';

const SECONDS = '1';
/** The same each time: who searches for something new runs `npm run fuzz`. */
const SEED = '1';

it('whatever bytes come, every target keeps its promises', async () => {
  const { code, output } = await runFuzz('--seconds', SECONDS, '--seed', SEED);
  expect(code, output).toBe(0);
  for (const target of FUZZ_TARGETS) {
    const line = output.split('\n').find((one) => one.startsWith(`${target}: `)) ?? '';
    expect(Number(/: (\d+) runs/.exec(line)?.[1]), output).toBeGreaterThan(100);
    expect(Number(/corpus (\d+)/.exec(line)?.[1]), output).toBeGreaterThan(20);
  }
});

it('findings belong to a target', () => {
  for (const { target } of FUZZ_FINDINGS) expect(FUZZ_TARGETS).toContain(target);
});

it('an input is played again from its file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-fuzz-'));
  try {
    const file = join(directory, 'input');
    await writeFile(file, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const { code, output } = await runFuzz('--target', 'requests', '--input', file);
    expect(output).toContain('requests: every promise is kept');
    expect(code).toBe(0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

it('a target that is not there is named', async () => {
  const { code, output } = await runFuzz('--target', 'nothing');
  expect(code).not.toBe(0);
  expect(output).toContain('no target "nothing": request-head, ');
});
