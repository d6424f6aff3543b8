// Starts a process under conmon, which holds it in our absence: writes its log, its exit status and
// an `oom` mark, and takes orders through a FIFO. Two phases, so that the caller can prepare the
// sandbox while conmon itself is starting: `prepare` blocks conmon, `create` lets it go on.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import type { Readable, Writable } from 'node:stream';
import { COMMAND_ENV } from './run-command.ts';

export interface ConmonOptions {
  readonly id: string;
  /** Holds conmon's own files (`ctl`, pid files, `oom`); for an OCI runtime also `config.json`. */
  readonly directory: string;
  /** Absolute path of an OCI runtime, or of something that understands `create` as one does. */
  readonly runtime: string;
  readonly runtimeArgs: readonly string[];
  /** A file named like the id appears here, whole, when the process ends: its exit status. */
  readonly exitDirectory: string;
  readonly logPath: string;
}

export interface HeldProcess {
  readonly pid: number;
  readonly conmonPid: number;
}

export interface PreparedConmon {
  /** Of the first conmon process: move it to another cgroup and its children follow. */
  readonly pid: number;
  /** Runs the runtime's `create`; rejects with what the runtime said. */
  create(timeoutMs: number): Promise<HeldProcess>;
  /** Instead of `create`. */
  abandon(): void;
}

const SYNC_PIPE_FD = 3;
const START_PIPE_FD = 4;
const END_TIMEOUT_MS = 5_000;
const END_INTERVAL_MS = 5;
const MESSAGE_BYTES_MAX = 64 * 1024;

export function prepareConmon(options: ConmonOptions): PreparedConmon {
  const child = spawn('conmon', conmonArgs(options), {
    cwd: options.directory,
    // A session of its own: whoever kills the agent's process group does not reach it.
    detached: true,
    env: {
      ...COMMAND_ENV,
      _OCI_SYNCPIPE: String(SYNC_PIPE_FD),
      _OCI_STARTPIPE: String(START_PIPE_FD),
    },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const failed = failure(child);
  failed.catch(() => undefined);
  const startPipe = child.stdio[START_PIPE_FD] as Writable;
  startPipe.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    create: async (timeoutMs) => {
      startPipe.end('x');
      const message = readMessage(child.stdio[SYNC_PIPE_FD] as Readable, timeoutMs);
      const pid = pidIn(await Promise.race([message, failed]));
      const conmonPid = Number(await readFile(conmonPidFile(options.directory), 'utf8'));
      return { pid, conmonPid };
    },
    abandon: () => {
      child.kill('SIGKILL');
    },
  };
}

/** Opens the log path again, after a rotation by rename. No error when conmon has ended. */
export async function reopenConmonLog(directory: string): Promise<void> {
  // Non-blocking: without a reader the open fails at once instead of waiting for one.
  const flags = constants.O_WRONLY | constants.O_NONBLOCK;
  const control = await open(join(directory, 'ctl'), flags).catch(() => undefined);
  if (control === undefined) return;
  try {
    await control.write('2 0 0\n');
  } finally {
    await control.close();
  }
}

/** Waits until conmon has written the end of the log and the exit status; then ends it. */
export async function conmonEnded(directory: string, id: string): Promise<void> {
  const deadline = performance.now() + END_TIMEOUT_MS;
  for (;;) {
    const pid = await conmonOf(directory, id);
    if (pid === undefined) return;
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(END_INTERVAL_MS);
  }
}

/** Pid of the conmon that holds `id`; undefined when it has ended. */
export async function conmonOf(directory: string, id: string): Promise<number | undefined> {
  const pid = Number(await readFile(conmonPidFile(directory), 'utf8').catch(() => '0'));
  const argv = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return argv.split('\0').includes(id) ? pid : undefined;
}

const conmonPidFile = (directory: string): string => join(directory, 'conmon.pid');

function conmonArgs(options: ConmonOptions): string[] {
  const { id, directory } = options;
  return [
    ...['--api-version', '1', '--cid', id, '--cuuid', id, '--name', id],
    ...['--runtime', options.runtime],
    ...options.runtimeArgs.flatMap((argument) => ['--runtime-arg', argument]),
    ...['--bundle', directory, '--persist-dir', directory, '--exit-dir', options.exitDirectory],
    ...['--container-pidfile', join(directory, 'pid')],
    ...['--conmon-pidfile', conmonPidFile(directory)],
    ...['--log-path', `k8s-file:${options.logPath}`, '--log-level', 'error'],
    // The attach socket stays in `directory`, not in a place shared by the whole machine.
    '--full-attach',
  ];
}

/** Rejects when conmon itself cannot run; never resolves. */
function failure(child: ChildProcess): Promise<never> {
  const said = text(child.stderr as Readable).catch(() => '');
  return new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) return;
      void said.then((message) => reject(new Error(`conmon ended: ${message.trim()}`)));
    });
  });
}

/** The one line of JSON that conmon writes: the pid, or -1 and what the runtime said. */
async function readMessage(pipe: Readable, timeoutMs: number): Promise<string> {
  let line = '';
  const timer = setTimeout(() => {
    pipe.destroy(new Error(`the runtime did not answer within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    for await (const chunk of pipe) {
      line += String(chunk);
      if (line.includes('\n') || line.length > MESSAGE_BYTES_MAX) break;
    }
  } finally {
    clearTimeout(timer);
  }
  return line;
}

function pidIn(line: string): number {
  if (line === '') throw new Error('conmon ended without a word');
  const message = JSON.parse(line) as { data: number; message?: string };
  if (message.data > 0) return message.data;
  throw new Error(message.message?.trim() ?? 'the runtime gave no reason');
}
