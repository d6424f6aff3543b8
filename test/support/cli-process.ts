// The bundled `tandem` as a process of its own, built once per test file.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, vi } from 'vitest';

const BUILD = join(import.meta.dirname, '../../packages/cli/build.js');

export interface CliOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class CliProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(bundle: string, args: readonly string[], options: CliOptions) {
    this.child = spawn(process.execPath, [bundle, ...args], {
      cwd: options.cwd,
      env: { PATH: process.env['PATH'], HOME: options.cwd, ...options.env },
      stdio: 'pipe',
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child.stdin?.on('error', () => undefined).end(options.input ?? '');
  }

  async shows(text: string, timeoutMs = 30_000): Promise<void> {
    const check = (): void => {
      if (this.stdout.includes(text)) return;
      throw new Error(`not shown: ${text}\n${this.stdout}${this.stderr}`);
    };
    await vi.waitFor(check, { timeout: timeoutMs, interval: 20 });
  }

  interrupt(): void {
    this.child.kill('SIGINT');
  }

  async ended(): Promise<CliResult> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'close');
    }
    return { exitCode: this.child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Gives the path of the bundle, once a test runs. */
export function useCliBundle(): () => string {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-cli-'));
    await promisify(execFile)(process.execPath, [BUILD, join(directory, 'tandem.mjs')]);
  });
  afterAll(() => rm(directory, { recursive: true }));
  return () => join(directory, 'tandem.mjs');
}
