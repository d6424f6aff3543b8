// Runs a child process to its end with bounded time and output. Argv only, never a shell string.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** Replaces the environment; default: PATH and a C locale only. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Called for every line of either output while the command runs. */
  readonly onLine?: (line: string) => void;
  /** Descriptors the child gets as 3, 4 ...: a lock it holds on to, for example. */
  readonly inheritFds?: readonly number[];
}

export interface CommandResult {
  /** As a shell counts: 128 + signal number when killed. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const COMMAND_ENV: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
};

export class CommandFailed extends Error {
  readonly argv: readonly string[];
  readonly result: CommandResult;

  constructor(argv: readonly string[], result: CommandResult) {
    const said = result.stderr.trim() || result.stdout.trim() || 'no output';
    super(`${argv.slice(0, 4).join(' ')} ended with ${result.exitCode}: ${said.slice(-2000)}`);
    this.name = 'CommandFailed';
    this.argv = argv;
    this.result = result;
  }
}

/** Resolves for exit status 0, rejects with CommandFailed otherwise, also on time-out and abort. */
export async function runCommand(
  argv: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<CommandResult> {
  const result = await runToExit(argv, options);
  if (result.exitCode !== 0) throw new CommandFailed(argv, result);
  return result;
}

/** As runCommand, but any exit status resolves. */
export async function runToExit(
  argv: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<CommandResult> {
  const [file, ...args] = argv;
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  return await new Promise<CommandResult>((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? COMMAND_ENV,
      stdio: ['pipe', 'pipe', 'pipe', ...(options.inheritFds ?? [])],
      signal,
      killSignal: 'SIGKILL',
    }) as ChildProcessWithoutNullStreams;
    if (options.onLine) {
      createInterface(child.stdout).on('line', options.onLine);
      createInterface(child.stderr).on('line', options.onLine);
    }
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.once('error', (error) => {
      if (child.pid === undefined || signal.aborted) reject(abortReason(argv, signal) ?? error);
    });
    child.once('close', (code, killedBy) => {
      const exitCode = code ?? 128 + (killedBy === 'SIGKILL' ? 9 : 15);
      resolve({ exitCode, stdout: stdout(), stderr: stderr() });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

function abortReason(argv: readonly string[], signal: AbortSignal): Error | undefined {
  if (!signal.aborted) return undefined;
  return new Error(`${argv[0]} was stopped: ${String(signal.reason)}`, { cause: signal.reason });
}

/** Keeps the first OUTPUT_BYTES_MAX bytes and drops the rest, so a flood cannot fill memory. */
function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (sizeBytes >= OUTPUT_BYTES_MAX) return;
    sizeBytes += chunk.length;
    chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
