// `tandem maintenance` as its users start it, against a control server with a fake backend.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CliProcess, useCliBundle, type CliResult } from '../support/cli-process.ts';
import { useControlServer } from '../support/control-fixture.ts';

const fixture = useControlServer();
const bundle = useCliBundle();

const tandem = (...args: string[]): Promise<CliResult> =>
  new CliProcess(bundle(), ['maintenance', ...args, '-a', 'bakery'], {
    cwd: fixture.directory,
    env: { TANDEM_SOCKET: fixture.socketPath },
  }).ended();

it('goes on and off', async () => {
  expect((await tandem()).stdout).toMatch(/^Maintenance +off$/m);
  const on = await tandem('on', '--text', 'Back at noon.', '--exempt', '192.0.2.7', '::1');
  expect([on.exitCode, on.stderr]).toEqual([0, '']);
  expect(on.stdout).toContain('tandem maintenance off -a bakery');
  const shown = (await tandem()).stdout;
  expect(shown).toMatch(/^Maintenance +on$/m);
  expect(shown).toContain('192.0.2.7, ::1');
  expect((await tandem('off')).exitCode).toBe(0);
  expect((await tandem()).stdout).toMatch(/^Maintenance +off$/m);
  expect(fixture.backend.calls).toEqual([
    [
      ...['policy', 'bakery'],
      {
        set: { maintenance: { text: 'Back at noon.', exempt: ['192.0.2.7', '::1'] } },
        unset: [],
      },
    ],
    ['policy', 'bakery', { set: {}, unset: ['maintenance'] }],
  ]);
});

it('takes a page of one’s own', async () => {
  const page = join(fixture.directory, 'page.html');
  await writeFile(page, '<h1>Soon</h1>');
  expect((await tandem('on', '--html', page, '--retry-after', '600')).exitCode).toBe(0);
  expect(fixture.backend.policy).toEqual({
    maintenance: { html: '<h1>Soon</h1>', retryAfterS: 600 },
  });
});

it('says what is wrong with a page or a number, and changes nothing', async () => {
  const missing = await tandem('on', '--html', 'nowhere.html');
  expect(missing.exitCode).toBe(2);
  expect(missing.stderr).toContain('nowhere.html cannot be read');
  const long = join(fixture.directory, 'long.html');
  await writeFile(long, 'x'.repeat(70_000));
  expect((await tandem('on', '--html', long)).stderr).toContain('over 64 KiB');
  expect((await tandem('on', '--retry-after', 'soon')).exitCode).toBe(2);
  expect(fixture.backend.calls).toEqual([]);
});
