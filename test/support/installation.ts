// A whole installation for tests: made by script/up, used through the real CLI, taken down by
// script/down, and afterwards nothing of it may be left in the kernel.
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ControlClient } from '@tandem/protocol/client';
import { inject } from 'vitest';
import { readInstallation } from '../../packages/platform/src/adapters/installation-registry/installation-file.ts';
import { findLeftovers } from '../../packages/platform/src/adapters/leftovers/find-leftovers.ts';
import { markOf, type Mark } from '../../packages/platform/src/adapters/leftovers/mark.ts';
import type { Installation } from '../../packages/platform/src/domain/installation.ts';
import { runToExit, type CommandResult } from '../../packages/platform/src/lib/run-command.ts';
import { controlSocket, pathsOf, type Paths } from '../../packages/platform/src/ports/paths.ts';
import { CliProcess } from './cli-process.ts';
import { startLoad, type Load } from './load-process.ts';
import type { LoadOptions } from './load.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'packages/cli/dist/tandem.js');
/** A first one builds the stacks. */
const UP_TIMEOUT_MS = 20 * 60_000;
const DOWN_TIMEOUT_MS = 5 * 60_000;
const TANDEM_TIMEOUT_MS = 5 * 60_000;
const GET_TIMEOUT_MS = 40_000;
const LOAD_CONNECTIONS = 64;

/** Where an installation is: all that another process needs to use it. */
export interface InstallationPlace {
  readonly name: string;
  readonly dataRoot: string;
  readonly runRoot: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    sharedInstallation: InstallationPlace;
  }
}

/** The one that all files of a project share; see shared-installation.ts. */
export async function sharedInstallation(): Promise<TestInstallation> {
  return await TestInstallation.open(inject('sharedInstallation'));
}

/** A fresh one for this test alone. */
export async function withInstallation(
  options: { readonly suffix?: string; readonly arguments?: readonly string[] },
  work: (installation: TestInstallation) => Promise<void>,
): Promise<void> {
  const place = await createInstallation([
    ...(options.suffix === undefined ? [] : ['--domain', options.suffix]),
    ...(options.arguments ?? []),
  ]);
  try {
    await work(await TestInstallation.open(place));
  } finally {
    await destroyInstallation(place);
  }
}

/** Its data lie below `directory`. */
export async function createInstallation(
  extra: readonly string[] = [],
  directory = '/var/tmp',
): Promise<InstallationPlace> {
  const name = `test-${randomBytes(4).toString('hex')}`;
  const place = {
    name,
    dataRoot: join(directory, `tandem-${name}`),
    runRoot: `/run/tandem-${name}`,
  };
  await mkdir(place.dataRoot, { mode: 0o711 });
  const port = String(await freePort());
  try {
    await script('up', [...placeArguments(place), '--port', port, '--no-example', ...extra]);
  } catch (error) {
    await destroyInstallation(place).catch((second: unknown) => console.error(second));
    throw error;
  }
  return place;
}

/** Any exit status resolves. */
export async function runScript(
  name: 'up' | 'down',
  args: readonly string[],
): Promise<CommandResult> {
  return await runToExit([join(ROOT, 'script', name), ...args], {
    timeoutMs: name === 'up' ? UP_TIMEOUT_MS : DOWN_TIMEOUT_MS,
    cwd: ROOT,
    env: process.env as Record<string, string>,
  });
}

/** Throws when anything of it is left. */
export async function destroyInstallation(place: InstallationPlace): Promise<void> {
  const paths = pathsAt(place);
  const mark = await readInstallation(paths).then(
    (installation) => markOf(installation, paths),
    () => undefined,
  );
  await script('down', [...placeArguments(place), '--purge']);
  await expectNothingLeft(mark);
  await rm(place.dataRoot, { recursive: true, force: true });
  await rm(place.runRoot, { recursive: true, force: true });
}

export async function expectNothingLeft(mark: Mark | undefined): Promise<void> {
  const left = mark ? await findLeftovers(mark) : [];
  if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
}

export class TestInstallation {
  readonly place: InstallationPlace;
  readonly installation: Installation;
  readonly paths: Paths;
  readonly client: ControlClient;

  private constructor(place: InstallationPlace, installation: Installation) {
    this.place = place;
    this.installation = installation;
    this.paths = pathsAt(place);
    this.client = new ControlClient(controlSocket(this.paths));
  }

  static async open(place: InstallationPlace): Promise<TestInstallation> {
    return new TestInstallation(place, await readInstallation(pathsAt(place)));
  }

  get mark(): Mark {
    return markOf(this.installation, this.paths);
  }

  /** For script/up and script/down. */
  get arguments(): string[] {
    return placeArguments(this.place);
  }

  get port(): number {
    return this.installation.httpPort;
  }

  hostname(app: string): string {
    return `${app}.${this.installation.suffix}`;
  }

  url(app: string, path = '/'): string {
    return `http://${this.hostname(app)}:${this.port}${path}`;
  }

  /** The real command; any exit status resolves. */
  async tandem(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return await runToExit([process.execPath, CLI, ...args], {
      timeoutMs: options.timeoutMs ?? TANDEM_TIMEOUT_MS,
      cwd: options.cwd ?? this.place.dataRoot,
      ...(options.input === undefined ? {} : { input: options.input }),
      env: this.#environment(options),
    });
  }

  /** The same, to be watched and interrupted. */
  startTandem(args: readonly string[], options: RunOptions = {}): CliProcess {
    const cwd = options.cwd ?? this.place.dataRoot;
    return new CliProcess(CLI, args, { ...options, cwd, env: this.#environment(options) });
  }

  /** As `tandem`, but throws with its output when it fails. */
  async mustTandem(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const result = await this.tandem(args, options);
    if (result.exitCode === 0) return result;
    throw new Error(
      `tandem ${args.join(' ')}: ${result.exitCode}\n${result.stdout}${result.stderr}`,
    );
  }

  async get(
    app: string,
    path = '/',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return await this.request(app, path, { headers });
  }

  /** Through the balancer, with the hostname of the app; no name needs to resolve. */
  async request(app: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: this.port,
        path,
        agent: false,
        method: options.method ?? 'GET',
        headers: { host: `${this.hostname(app)}:${this.port}`, ...options.headers },
        signal: AbortSignal.timeout(GET_TIMEOUT_MS),
      });
      outgoing.once('error', reject);
      outgoing.once('response', (response) => {
        const { statusCode: status = 0, headers } = response;
        text(response).then((body) => resolve({ status, headers, body }), reject);
      });
      outgoing.end(options.body);
    });
  }

  async load(app: string, options: Pick<LoadOptions, 'requests' | 'pauseMs'>): Promise<Load> {
    const host = `${this.hostname(app)}:${this.port}`;
    const connections = LOAD_CONNECTIONS;
    return await startLoad({ port: this.port, host, connections, timeoutMs: 60_000, ...options });
  }

  /** Main process of a daemon: `agent`, `balancer-0`, `static`, `dns`, `sockets`. */
  async pid(service: string): Promise<number> {
    const directory = join(this.paths.run, 'services', service);
    const { stdout } = await runToExit(['s6-svstat', '-o', 'pid', directory], { timeoutMs: 5_000 });
    return Number(stdout.trim());
  }

  #environment({ env }: RunOptions): Record<string, string> {
    return {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      // No context or link of whoever runs the tests.
      HOME: this.place.dataRoot,
      TANDEM_SOCKET: controlSocket(this.paths),
      ...env,
    };
  }
}

function pathsAt({ name, dataRoot, runRoot }: InstallationPlace): Paths {
  return pathsOf(name, { data: dataRoot, run: runRoot });
}

function placeArguments({ name, dataRoot, runRoot }: InstallationPlace): string[] {
  return ['--installation', name, '--data-root', dataRoot, '--run-root', runRoot];
}

async function script(name: 'up' | 'down', args: readonly string[]): Promise<void> {
  const result = await runScript(name, args);
  if (result.exitCode === 0) return;
  throw new Error(`script/${name}: ${result.exitCode}\n${result.stdout}${result.stderr}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '::', port: 0 });
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
