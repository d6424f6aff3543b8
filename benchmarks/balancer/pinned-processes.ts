// Owner of every process of a run: each pinned to a core, each in a process group of its own, so that
// its workers go with it. Nothing outlives close(), and nothing starts after it.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { SYSTEM_PATH } from './tools.ts';

/** Under measurement, alone. */
export const PROXY_CORE = 0;
/** Load, backends, and whatever else there is. */
export const LOAD_CORE = 1;

const TERM_GRACE_MS = 3_000;
const STDERR_CHARS_MAX = 4_000;
/** As many open files as the hard limit allows: thousands of connections are part of the job. */
const OPEN_FILES = await hardLimit();

export interface PinnedOptions {
  readonly core: number;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A file for standard output; default: nobody reads it. */
  readonly stdoutFd?: number;
}

export class PinnedProcess {
  readonly argv: readonly string[];
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  #stderr = '';

  constructor({ core, argv, env, cwd }: PinnedOptions, stdout: 'pipe' | 'ignore' | number) {
    this.argv = argv;
    const stdio: StdioOptions = ['ignore', stdout, 'pipe'];
    const pinned = [`--nofile=${OPEN_FILES}`, 'taskset', '--cpu-list', String(core), ...argv];
    this.child = spawn('prlimit', pinned, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, PATH: SYSTEM_PATH, ...env },
      stdio,
      detached: true,
    });
    this.exited = once(this.child, 'exit').then(() => undefined);
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS_MAX);
    });
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error(`${this.argv[0]} did not start`);
    return pid;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  failure(): Error {
    const how = this.child.signalCode ?? this.child.exitCode;
    return new Error(`${this.argv.join(' ')}: ended with ${how}\n${this.#stderr}`);
  }

  /** No error when it has ended; its group may still have members. */
  signal(signal: NodeJS.Signals): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

export class PinnedProcesses {
  readonly #running = new Set<PinnedProcess>();
  #isClosed = false;

  constructor() {
    // The last resort, when an unwinding is itself cut short.
    process.once('exit', () => this.#running.forEach((running) => running.signal('SIGKILL')));
  }

  start(options: PinnedOptions): PinnedProcess {
    return this.#begin(options, options.stdoutFd ?? 'ignore');
  }

  /** Standard output of a program that ends by itself, loudly when it fails or takes too long. */
  async run(options: PinnedOptions, timeoutMs: number): Promise<string> {
    const running = this.#begin(options, 'pipe');
    let stdout = '';
    running.child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const timer = setTimeout(() => running.signal('SIGKILL'), timeoutMs);
    await once(running.child, 'close');
    clearTimeout(timer);
    this.#running.delete(running);
    if (running.child.exitCode !== 0) throw running.failure();
    return stdout;
  }

  /** Resolves with the first line it prints: it is ready. */
  async startUntilLine(options: PinnedOptions): Promise<PinnedProcess> {
    const running = this.#begin(options, 'pipe');
    const ended = running.exited.then(() => {
      throw running.failure();
    });
    const { stdout } = running.child;
    if (stdout) await Promise.race([once(stdout, 'data'), ended]);
    ended.catch(() => undefined);
    stdout?.resume();
    return running;
  }

  async stop(running: PinnedProcess): Promise<void> {
    running.signal('SIGTERM');
    await Promise.race([running.exited, delay(TERM_GRACE_MS, undefined, { ref: false })]);
    running.signal('SIGKILL');
    if (!running.hasEnded) await running.exited;
    this.#running.delete(running);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#running].map((running) => this.stop(running)));
  }

  #begin(options: PinnedOptions, stdout: 'pipe' | 'ignore' | number): PinnedProcess {
    if (this.#isClosed) throw new Error('the run is being ended');
    const running = new PinnedProcess(options, stdout);
    running.exited.catch(() => undefined);
    this.#running.add(running);
    return running;
  }
}

async function hardLimit(): Promise<string> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1] ?? '1024';
  return `${hard}:${hard}`;
}
