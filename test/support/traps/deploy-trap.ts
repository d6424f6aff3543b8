// What a trap promises, kept by the whole platform: it answers, or it is refused as said.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { TestInstallation } from '../installation.ts';
import type { Trap } from './trap.ts';

export interface DeployedTrap {
  readonly app: string;
  /** A second time, which must do no dependency work. */
  readonly again: boolean;
}

export async function deployTrap(
  t: TestInstallation,
  trap: Trap,
  { app, again }: DeployedTrap,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-trap-'));
  try {
    for (const [path, text] of Object.entries(trap.files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    await setConfig(t, app, folder, trap);
    if (trap.refused) await expectRefusal(t, app, folder, trap);
    else await expectSite(t, app, folder, trap);
    if (again && !trap.refused) await expectKept(t, app, folder, trap);
  } finally {
    await t.tandem(['destroy', '-a', app, '--confirm', app]);
    await rm(folder, { recursive: true });
  }
}

/** As a user would: the first deploy says what is missing, then it is set. */
async function setConfig(
  t: TestInstallation,
  app: string,
  folder: string,
  { config }: Trap,
): Promise<void> {
  if (config === undefined) return;
  const result = await t.tandem(['deploy', folder, '-a', app]);
  expect(result.exitCode).toBe(1);
  if (!result.stderr.includes('VARIABLE_MISSING')) throw await unexpected(t, app, result.stderr);
  const pairs = Object.entries(config).map(([key, value]) => `${key}=${value}`);
  await t.mustTandem(['config', 'set', '--stage', '-a', app, ...pairs]);
}

/** With the log of the deploy, which is gone once the installation is. */
async function unexpected(t: TestInstallation, app: string, said: string): Promise<Error> {
  const { stdout } = await t.tandem(['logs', '-a', app, '--release', 'd1']);
  return new Error(`${said}\n${stdout}`);
}

async function expectSite(
  t: TestInstallation,
  app: string,
  folder: string,
  { answers }: Trap,
): Promise<void> {
  await t.mustTandem(['deploy', folder, '-a', app]);
  const { path = '/', status = 200, text = /^/ } = answers ?? {};
  const answer = await t.get(app, path);
  expect(answer.status, answer.body).toBe(status);
  expect(answer.body).toMatch(text);
}

async function expectKept(
  t: TestInstallation,
  app: string,
  folder: string,
  { files }: Trap,
): Promise<void> {
  const result = await t.mustTandem(['deploy', folder, '-a', app]);
  const said = result.stdout + result.stderr;
  const lines = [...said.matchAll(/^(?:Build)? +(?:dependencies|node) .* s$/gm)].map(String);
  const isPython = Object.keys(files).some((path) => path.endsWith('.py'));
  expect(lines.length, said).toBeGreaterThanOrEqual(isPython ? 1 : 0);
  for (const line of lines) expect(line).toMatch(/ none\b|\bkept\b/);
}

async function expectRefusal(
  t: TestInstallation,
  app: string,
  folder: string,
  { refused }: Trap,
): Promise<void> {
  const result = await t.tandem(['deploy', folder, '-a', app, '--json']);
  expect(result.exitCode, result.stdout).toBe(1);
  const last = result.stdout.trim().split('\n').at(-1) ?? '{}';
  const said = JSON.parse(last) as { error?: Record<string, string> };
  const error = said.error ?? {};
  if (error['code'] !== refused?.code) throw await unexpected(t, app, result.stdout);
  expect(error['message']).toMatch(refused?.what ?? /^$/);
  if (refused?.where !== undefined) expect(error['where']).toMatch(refused.where);
  expect(error['hint']).toMatch(refused?.fix ?? /^$/);
}
