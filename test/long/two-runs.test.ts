// Two runs of the whole suite at once do not disturb each other: ports, kernel objects, directories.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const SUITE = join(ROOT, 'test/support/run-suite.ts');
const TIMEOUT_MS = 90 * 60_000;
const TAIL_CHARACTERS = 8_000;

async function runSuite(): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [SUITE], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await exit, said: (stdout + stderr).slice(-TAIL_CHARACTERS) };
}

it(
  'two whole suites at once',
  async () => {
    for (const { code, said } of await Promise.all([runSuite(), runSuite()])) {
      expect(code, said).toBe(0);
      expect(said).toMatch(/\d+ passed, 0 failed/);
    }
  },
  TIMEOUT_MS,
);
