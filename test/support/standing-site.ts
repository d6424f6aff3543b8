// An app with one good release that every bad deploy must leave alone: it answers all the time, and
// afterwards nothing of the failed release is left on the node.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { toTandemError, type ErrorBody } from '@tandem/protocol';
import { expect } from 'vitest';
import { waitFor } from '../../packages/platform/src/adapters/s6/service-state.ts';
import type { CommandResult } from '../../packages/platform/src/lib/run-command.ts';
import { sandboxes, scratchFiles } from '../../packages/platform/src/ports/paths.ts';
import type { TestInstallation } from './installation.ts';

const SOON_MS = 20_000;
const VISIT_PAUSE_MS = 100;

/** Contents by path. */
export type Files = Readonly<Record<string, string>>;

export interface Refusal {
  readonly code: ErrorBody['code'];
  /** The cause, with the name of the thing. */
  readonly what: RegExp;
  readonly where?: RegExp | string;
  /** The next command or edit. */
  readonly fix: RegExp;
}

export class StandingSite {
  readonly t: TestInstallation;
  readonly app: string;
  readonly #good: Files;
  #id = 0;
  /** Release that serves. */
  #release = 0;

  private constructor(t: TestInstallation, app: string, good: Files) {
    this.t = t;
    this.app = app;
    this.#good = good;
  }

  /** Deploys `good`, whose `/` answers 200. */
  static async deploy(t: TestInstallation, app: string, good: Files): Promise<StandingSite> {
    const site = new StandingSite(t, app, good);
    await site.deployGood();
    return site;
  }

  async deployGood(changes: Files = {}): Promise<void> {
    await withFolder(this.t, { ...this.#good, ...changes }, (folder) =>
      this.t.mustTandem(['deploy', folder, '-a', this.app]),
    );
    const summary = await this.t.client.getApp(this.app);
    this.#id = summary.id;
    this.#release = summary.release ?? 0;
    expect((await this.t.get(this.app)).status).toBe(200);
  }

  get id(): number {
    return this.#id;
  }

  async destroy(): Promise<void> {
    await this.t.mustTandem(['destroy', '-a', this.app, '--confirm', this.app]);
  }

  /** The good source with these changes, deployed while visitors come; says what the CLI said. */
  async refuses(changes: Files, expected: Refusal): Promise<ErrorBody> {
    const { result, failedVisits } = await this.deployVisited(changes);
    expect(result.exitCode, result.stdout + result.stderr).toBe(1);
    const [last] = await this.t.client.listDeploys(this.app);
    const error = last?.error as ErrorBody | undefined;
    expectRefusal(error, expected);
    expectTold(result, error, this.#release);
    expect(failedVisits).toEqual([]);
    await this.expectUntouched();
    return error;
  }

  /** As `refuses`, for an archive that no CLI would send. */
  async refusesArchive(archive: Readable, expected: Refusal): Promise<void> {
    const visits = startVisits(this.t, this.app);
    const error = await this.#sendArchive(archive);
    expectRefusal(error, expected);
    expect(await visits.stop()).toEqual([]);
    await this.expectUntouched();
  }

  async #sendArchive(archive: Readable): Promise<ErrorBody | undefined> {
    try {
      const { deploy } = await this.t.client.deploy(this.app, archive, { create: false });
      const status = () => this.t.client.getDeploy(this.app, deploy);
      await waitFor(async () => (await status()).state !== 'running', SOON_MS);
      return (await status()).error as ErrorBody | undefined;
    } catch (error) {
      return toTandemError(error).toBody();
    }
  }

  async deployVisited(
    changes: Files,
    deploy: (folder: string) => Promise<CommandResult> = (folder) =>
      this.t.tandem(['deploy', folder, '-a', this.app]),
  ): Promise<{ result: CommandResult; failedVisits: string[] }> {
    const visits = startVisits(this.t, this.app);
    const result = await withFolder(this.t, { ...this.#good, ...changes }, deploy);
    return { result, failedVisits: await visits.stop() };
  }

  /** The good release serves, the app is free for the next deploy, nothing half-made is left. */
  async expectUntouched(): Promise<void> {
    await waitFor(async () => (await this.#remains()).length === 0, SOON_MS);
    expect(await this.#remains()).toEqual([]);
    const { state, release, instances } = await this.t.client.getApp(this.app);
    expect({ state, release, instances }).toEqual({
      state: 'live',
      release: this.#release,
      instances: { ready: 1, desired: 1 },
    });
    expect((await this.t.get(this.app)).status).toBe(200);
  }

  /** What belongs neither to the release that serves nor to another app. */
  async #remains(): Promise<string[]> {
    const processes = await this.t.client.listProcesses(this.app);
    const serving = processes.filter((one) => one.release === this.#release);
    const strangers = processes.filter((one) => one.release !== this.#release);
    const own = new RegExp(`^(a|r|j|build-b)${this.#id}-`);
    const isServing = (name: string): boolean =>
      serving.some(({ instanceId }) => name.startsWith(`${instanceId}-`));
    const list = async (directory: string): Promise<string[]> =>
      (await readdir(directory)).filter((name) => own.test(name) && !isServing(name));
    const { paths } = this.t;
    return [
      ...strangers.map((one) => `process ${one.name} v${one.release} ${one.state}`),
      ...(await list(sandboxes(paths))).map((name) => `sandbox ${name}`),
      ...(await list(scratchFiles(paths))).map((name) => `scratch disk ${name}`),
      ...(await readdir(join(paths.data, 'uploads'))).map((name) => `upload ${name}`),
    ];
  }
}

function expectRefusal(
  error: ErrorBody | undefined,
  expected: Refusal,
): asserts error is ErrorBody {
  expect(error?.code, JSON.stringify(error)).toBe(expected.code);
  expect(error?.message).toMatch(expected.what);
  if (expected.where !== undefined) expect(error?.where ?? '').toMatch(expected.where);
  expect(error?.hint ?? '').toMatch(expected.fix);
}

/** The CLI shows all of it, and says that the old release serves. */
function expectTold(result: CommandResult, error: ErrorBody, release: number): void {
  const said = result.stdout + result.stderr;
  expect(said).toMatch(new RegExp(`Failed +${error.code}\\..*; v${release} serves`));
  const flat = said.replace(/\s+/g, ' ');
  for (const part of [error.message, error.where, error.hint]) {
    if (part !== undefined) expect(flat).toContain(part.replace(/\s+/g, ' ').trim());
  }
}

export interface Visits {
  /** Ends them; says which failed. */
  stop(): Promise<string[]>;
}

/** A visitor who comes ten times a second. */
export function startVisits(t: TestInstallation, app: string): Visits {
  const failed: string[] = [];
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      await t.get(app).then(
        ({ status, body }) => status === 200 || failed.push(`${status} ${body.slice(0, 80)}`),
        (error: unknown) => failed.push(String(error)),
      );
      await new Promise((resolve) => setTimeout(resolve, VISIT_PAUSE_MS));
    }
  })();
  return {
    async stop(): Promise<string[]> {
      stopped = true;
      await done;
      return failed;
    },
  };
}

export async function withFolder<T>(
  t: TestInstallation,
  files: Files,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(t.place.dataRoot, 'source-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
