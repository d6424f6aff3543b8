// A child process that somebody sits at: its input and output are those of the session, over pipes
// or in a terminal of its own.
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Session {
  readonly stdin: Readable;
  readonly output: Writable;
  /** With a terminal: its first size. */
  readonly terminal?: TerminalSize;
  onResize(listener: (size: TerminalSize) => void): void;
}

export interface SessionCommand {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** After the terminal itself has taken the new size. */
  readonly afterResize?: (size: TerminalSize) => void;
}

export const TERMINAL_NAME = 'xterm-256color';

/** Resolves to the exit status as a shell counts: 128 + signal when killed. */
export async function runInSession(command: SessionCommand, session: Session): Promise<number> {
  const { terminal } = session;
  return terminal
    ? await inTerminal(command, session, terminal)
    : await overPipes(command, session);
}

function overPipes({ argv, env, cwd }: SessionCommand, session: Session): Promise<number> {
  const [file, ...args] = argv;
  const child = spawn(file, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined);
  session.stdin.pipe(child.stdin);
  child.stdout.pipe(session.output, { end: false });
  child.stderr.pipe(session.output, { end: false });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      session.stdin.unpipe(child.stdin);
      resolve(code ?? (killedBy === 'SIGKILL' ? 137 : 143));
    });
  });
}

async function inTerminal(
  { argv, env, cwd, afterResize }: SessionCommand,
  session: Session,
  size: TerminalSize,
): Promise<number> {
  // Native code that only these sessions need: an idle agent does not carry it.
  const pty = await import('@lydell/node-pty');
  const [file, ...args] = argv;
  const child = pty.spawn(file, args, {
    name: TERMINAL_NAME,
    cols: size.columns,
    rows: size.rows,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    encoding: null,
  });
  child.onData((data) => {
    // Nobody reads: the process waits, rather than its output in our memory.
    if (session.output.write(data)) return;
    child.pause();
    session.output.once('drain', () => {
      child.resume();
    });
  });
  const type = (data: Buffer): void => {
    // Declared for text, but bytes go through as they are.
    child.write(data as unknown as string);
  };
  session.stdin.on('data', type);
  session.onResize((next) => {
    child.resize(next.columns, next.rows);
    afterResize?.(next);
  });
  return await new Promise((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      session.stdin.off('data', type);
      resolve(signal ? 128 + signal : exitCode);
    });
  });
}
