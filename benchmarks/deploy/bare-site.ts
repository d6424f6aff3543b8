// The same site by hand: a virtualenv, the commands one would type, gunicorn on a port. It uses the
// database of the platform's app, so that both sides wait for the same server.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from '../command.ts';
import { freePort } from '../free-port.ts';
import { timed } from './figure.ts';
import { firstAnswer } from '../http.ts';

export interface BareSiteOptions {
  readonly project: string;
  /** Virtualenv and uv's cache lie here. */
  readonly scratch: string;
  readonly uv: string;
  /** The interpreter that the platform uses for the same site. */
  readonly python: string;
  /** As the app has it, and how its database is reached from the host. */
  readonly env: Readonly<Record<string, string>>;
}

export class BareSite {
  readonly #options: BareSiteOptions;

  constructor(options: BareSiteOptions) {
    this.#options = options;
  }

  /** `uv pip install` into a new virtualenv, nothing cached. */
  async installCold(): Promise<void> {
    const { scratch, uv, python: interpreter, project } = this.#options;
    await rm(scratch, { recursive: true, force: true });
    const env = { UV_CACHE_DIR: join(scratch, 'uv-cache'), UV_LINK_MODE: 'copy' };
    await run([uv, 'venv', '--quiet', '--python', interpreter, this.#venv], { env });
    const requirements = join(project, 'requirements.txt');
    const python = this.#python;
    await run([uv, 'pip', 'install', '--quiet', '--python', python, '-r', requirements], { env });
  }

  async collectStatic(): Promise<void> {
    await this.#manage('collectstatic', '--noinput', '--verbosity', '0');
  }

  async migrate(): Promise<void> {
    await this.#manage('migrate', '--noinput', '--verbosity', '0');
  }

  /** Milliseconds from the start of gunicorn to its first answer. */
  async boot(): Promise<number> {
    const port = await freePort();
    const { project } = this.#options;
    const { ms, value: server } = await timed(async () => {
      const started = spawn(join(this.#venv, 'bin/gunicorn'), gunicornArgs(port), {
        cwd: project,
        env: this.#env,
        stdio: 'ignore',
      });
      await firstAnswer({ port, host: 'localhost' });
      return started;
    });
    await stop(server);
    return ms;
  }

  async #manage(...args: string[]): Promise<void> {
    const options = { cwd: this.#options.project, env: this.#env };
    await run([this.#python, 'manage.py', ...args], options);
  }

  get #venv(): string {
    return join(this.#options.scratch, 'venv');
  }

  get #python(): string {
    return join(this.#venv, 'bin/python');
  }

  get #env(): Record<string, string> {
    return { ...this.#options.env, PATH: `${join(this.#venv, 'bin')}:/usr/bin:/bin` };
  }
}

/** Where this machine has an interpreter of this exact version: pyenv's, else the system's. */
export async function interpreterPath(version: string): Promise<string> {
  const series = version.split('.').slice(0, 2).join('.');
  const root = process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv');
  const paths = [join(root, 'versions', version, 'bin/python'), `/usr/bin/python${series}`];
  for (const path of paths) {
    const found = await run([
      path,
      '-c',
      'import platform; print(platform.python_version())',
    ]).catch(() => '');
    if (found.trim() === version) return path;
  }
  throw new Error(`no interpreter ${version} on this machine to compare with`);
}

/** As the platform starts it in an instance of the default size. */
function gunicornArgs(port: number): string[] {
  const server = ['--worker-class', 'gthread', '--workers', '2', '--threads', '8'];
  return [...server, '--bind', `127.0.0.1:${port}`, 'site_root.wsgi'];
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) throw new Error(`gunicorn ended with ${server.exitCode}`);
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}
