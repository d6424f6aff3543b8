// An installation of its own for the benchmark, driven as a user drives it: script/up, the command
// line, script/down.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../command.ts';
import { freePort } from '../free-port.ts';
import { timed } from './figure.ts';

const ROOT = join(import.meta.dirname, '../..');
export const UV = join(ROOT, '.tools/uv/bin/uv');

export interface DeployAnswer {
  readonly urls: readonly string[];
  readonly release: number;
  readonly phasesMs: Readonly<Record<string, number>>;
}

export class Platform {
  readonly name: string;
  readonly port: number;

  constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  /** From the start of the command to its end: by then all traffic is on the new release. */
  async deploy(app: string, project: string): Promise<{ ms: number; value: DeployAnswer }> {
    return await timed(() => this.#tandem<DeployAnswer>('deploy', project, '-a', app));
  }

  async rollback(app: string): Promise<{ ms: number; value: DeployAnswer }> {
    return await timed(() => this.#tandem<DeployAnswer>('rollback', '-a', app));
  }

  /** Version of the interpreter that the platform chose for the app's newest release. */
  async pythonOf(app: string): Promise<string> {
    const answer = await this.#tandem<{ releases: { python: string }[] }>('releases', '-a', app);
    return answer.releases[0]?.python ?? 'none';
  }

  hostOf(app: string): string {
    return `${app}.localhost`;
  }

  /** Environment of a process of the app, and the address of its database seen from the host. */
  async environmentOf(app: string): Promise<Record<string, string>> {
    const script = 'env -0; printf "PGHOSTADDR="; getent hosts postgres.internal';
    const argv = cli(this.name, ['run', '-a', app, '--', 'sh', '-c', script]);
    const text = await run(argv);
    const entries = text
      .trim()
      .split('\0')
      .map((line) => line.trim().split(/=(.*)/s));
    const all = Object.fromEntries(entries.map(([key = '', value = '']) => [key, value]));
    const address = all['PGHOSTADDR']?.split(/\s/)[0] ?? '';
    const database = Object.entries(all).filter(([key]) =>
      /^(DATABASE_URL|PG|SECRET_KEY)/.test(key),
    );
    return { ...Object.fromEntries(database), PGHOSTADDR: address };
  }

  async installationId(): Promise<string> {
    const file = await readFile(`/var/lib/tandem/${this.name}/installation.json`, 'utf8');
    return (JSON.parse(file) as { id: string }).id;
  }

  get runDirectory(): string {
    return `/run/tandem/${this.name}`;
  }

  get dataDirectory(): string {
    return `/var/lib/tandem/${this.name}`;
  }

  async down(): Promise<void> {
    await run([join(ROOT, 'script/down'), '--purge', '--installation', this.name]);
  }

  async #tandem<T>(...args: string[]): Promise<T> {
    return JSON.parse(await run(cli(this.name, [...args, '--json']))) as T;
  }
}

export async function startPlatform(): Promise<Platform> {
  const name = `bench-${randomBytes(3).toString('hex')}`;
  const port = await freePort();
  const platform = new Platform(name, port);
  const options = ['--installation', name, '--port', String(port), '--no-example'];
  try {
    await run([join(ROOT, 'script/up'), ...options]);
  } catch (error) {
    await platform.down().catch(() => undefined);
    throw error;
  }
  return platform;
}

function cli(installation: string, args: readonly string[]): [string, ...string[]] {
  const file = join(ROOT, 'packages/cli/dist/tandem.js');
  return [process.execPath, file, ...withInstallation(args, installation)];
}

/** Before `--`, after which everything belongs to the command that is run. */
function withInstallation(args: readonly string[], installation: string): string[] {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  return [...args.slice(0, end), '--installation', installation, ...args.slice(end)];
}
