// The user's end of `tandem run`: their terminal (raw, with its size) or pipe on one side, frames
// on the other. Resolves with the exit code of the command.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  RUN_PAYLOAD_BYTES_MAX,
  RunExit,
  RunFrameDecoder,
  TandemError,
  encodeRunFrame,
  encodeRunJson,
  type ErrorBody,
  type RunFrame,
  type TerminalSize,
} from '@tandem/protocol';
import * as v from 'valibot';
import type { Io } from '../session.ts';

export interface AttachOptions {
  readonly connection: Duplex;
  readonly io: Io;
  readonly terminal: boolean;
}

export async function attach({ connection, io, terminal }: AttachOptions): Promise<number> {
  using _raw = terminal ? rawTerminal(connection, io) : nothing();
  const typing = sendInput(connection, io);
  try {
    return await receiveUntilExit(connection, io);
  } finally {
    typing.stop();
    connection.destroy();
  }
}

export function terminalSize(io: Io): TerminalSize {
  const { columns = 0, rows = 0 } = io.stdout as { columns?: number; rows?: number };
  return { columns, rows };
}

/** Keys go through as they are, Ctrl-C too; the terminal is itself again whatever happens. */
function rawTerminal(connection: Duplex, io: Io): Disposable {
  const resized = (): void => {
    if (connection.writable) connection.write(encodeRunJson('resize', terminalSize(io)));
  };
  const restore = (): void => void io.stdin.setRawMode?.(false);
  io.stdin.setRawMode?.(true);
  process.on('SIGWINCH', resized);
  process.once('exit', restore);
  return {
    [Symbol.dispose]: () => {
      process.removeListener('SIGWINCH', resized);
      process.removeListener('exit', restore);
      restore();
    },
  };
}

function nothing(): Disposable {
  return { [Symbol.dispose]: () => undefined };
}

function sendInput(connection: Duplex, io: Io): { stop(): void } {
  const { stdin } = io;
  const send = (chunk: Buffer | string): void => {
    const bytes = Buffer.from(chunk);
    for (let at = 0; at < bytes.length; at += RUN_PAYLOAD_BYTES_MAX) {
      const frame = encodeRunFrame('stdin', bytes.subarray(at, at + RUN_PAYLOAD_BYTES_MAX));
      if (connection.writable && !connection.write(frame)) stdin.pause();
    }
  };
  const end = (): void => {
    if (connection.writable) connection.write(encodeRunFrame('stdin', new Uint8Array()));
  };
  const resume = (): void => void stdin.resume();
  stdin.on('data', send).once('end', end);
  connection.on('drain', resume);
  return {
    stop: () => {
      stdin.removeListener('data', send).removeListener('end', end);
      connection.removeListener('drain', resume);
      stdin.pause();
      // An open pipe would keep the command alive after its work is done.
      (stdin as { unref?: () => void }).unref?.();
    },
  };
}

async function receiveUntilExit(connection: Duplex, io: Io): Promise<number> {
  const decoder = new RunFrameDecoder();
  try {
    for await (const chunk of connection as AsyncIterable<Buffer>) {
      for (const frame of decoder.push(chunk)) {
        const exitCode = await accept(frame, io);
        if (exitCode !== undefined) return exitCode;
      }
    }
  } catch (error) {
    if (error instanceof TandemError) throw error;
    throw connectionLost(error);
  }
  throw connectionLost(undefined);
}

async function accept({ channel, payload }: RunFrame, io: Io): Promise<number | undefined> {
  if (channel === 'exit') return v.parse(RunExit, JSON.parse(payload.toString())).code;
  if (channel === 'error') {
    throw TandemError.fromBody(JSON.parse(payload.toString()) as ErrorBody);
  }
  if (channel === 'output') {
    const stdout = io.stdout as unknown as NodeJS.WriteStream;
    if (!stdout.write(payload)) await once(stdout, 'drain');
  }
  return undefined;
}

function connectionLost(cause: unknown): TandemError {
  return new TandemError(
    'PLATFORM_UNREACHABLE',
    'The connection broke; the command was ended with it.',
    { hint: 'tandem status', cause },
  );
}
