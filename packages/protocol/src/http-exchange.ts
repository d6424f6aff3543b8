// One request over the control socket, and its answer as JSON or as a stream of lines. Whatever
// goes wrong below HTTP is PLATFORM_UNREACHABLE; what the platform answers is its own error.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { ErrorAnswer } from './api.ts';
import { request } from './node-http.ts';
import { TandemError } from './tandem-error.ts';

export const ANSWER_TIMEOUT_MS = 30_000;
/** Streams pulse every 10 s; silence for longer means that the other end is gone. */
export const STREAM_SILENCE_MS_MAX = 35_000;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
const LINE_CHARACTERS_MAX = 4 * 1024 * 1024;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: unknown;
  /** Sent after the server agrees (100-continue), so a refusal costs no upload. */
  readonly upload?: Readable;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** An answer of status 2xx, its body not yet read. Anything else is thrown. */
export async function exchange(socketPath: string, call: Call): Promise<IncomingMessage> {
  const response = await send(socketPath, call);
  if (response.statusCode !== undefined && response.statusCode < 300) return response;
  throw readError(await readBody(response, call), response.statusCode);
}

export async function exchangeJson<S extends v.GenericSchema>(
  socketPath: string,
  call: Call,
  schema: S,
): Promise<v.InferOutput<S>> {
  const text = await readBody(await exchange(socketPath, call), call);
  return parseAnswer(schema, text, call.path);
}

/** The lines of an NDJSON answer. Throws PLATFORM_UNREACHABLE when the stream is cut. */
export async function* exchangeLines<S extends v.GenericSchema>(
  socketPath: string,
  call: Call,
  schema: S,
): AsyncGenerator<v.InferOutput<S>> {
  const response = await exchange(socketPath, call);
  response.setTimeout(STREAM_SILENCE_MS_MAX, () => {
    response.destroy(new Error('the stream fell silent'));
  });
  response.setEncoding('utf8');
  let pending = '';
  try {
    for await (const chunk of response) {
      const lines = (pending + String(chunk)).split('\n');
      pending = lines.pop() ?? '';
      if (pending.length > LINE_CHARACTERS_MAX) throw new Error('a line of the stream is too long');
      for (const line of lines) if (line !== '') yield parseLine(schema, line, call.path);
    }
  } catch (error) {
    if (call.signal?.aborted) return;
    throw error instanceof TandemError ? error : unreachable(socketPath, error);
  } finally {
    response.destroy();
  }
}

function parseLine<S extends v.GenericSchema>(
  schema: S,
  line: string,
  path: string,
): v.InferOutput<S> {
  if (line.startsWith('{"error":')) {
    const failed = v.safeParse(ErrorAnswer, tryJson(line));
    if (failed.success) throw TandemError.fromBody(failed.output.error as never);
  }
  return parseAnswer(schema, line, path);
}

function send(socketPath: string, call: Call): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath,
      method: call.method,
      path: call.path + queryString(call.query),
      headers: headersOf(call),
      agent: false,
      ...(call.signal ? { signal: call.signal } : {}),
    });
    const timeoutMs = call.timeoutMs ?? ANSWER_TIMEOUT_MS;
    const armTimer = (): void => {
      outgoing.setTimeout(timeoutMs, () => {
        outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
      });
    };
    armTimer();
    outgoing.once('response', (response) => {
      outgoing.setTimeout(0);
      call.upload?.destroy();
      // A cut after this point is told by the response stream; the request would tell it twice.
      outgoing.on('error', () => undefined);
      resolve(response);
    });
    outgoing.once('error', (error) => {
      call.upload?.destroy();
      reject(
        uploadFault(call.upload) ?? abortReason(call.signal) ?? unreachable(socketPath, error),
      );
    });
    writeBody(outgoing, call);
  });
}

function headersOf(call: Call): Record<string, string> {
  if (call.upload) return { 'content-type': 'application/x-tar', expect: '100-continue' };
  if (call.json !== undefined) return { 'content-type': 'application/json' };
  return {};
}

function writeBody(outgoing: ClientRequest, call: Call): void {
  const { upload } = call;
  if (!upload) {
    outgoing.end(call.json === undefined ? undefined : JSON.stringify(call.json));
    return;
  }
  upload.once('error', (error) => outgoing.destroy(error));
  outgoing.once('continue', () => {
    outgoing.setTimeout(0);
    upload.once('end', () => outgoing.setTimeout(call.timeoutMs ?? ANSWER_TIMEOUT_MS));
    upload.pipe(outgoing);
  });
  outgoing.flushHeaders();
}

/** What broke the upload itself (a file that cannot be read) is told as it is. */
function uploadFault(upload: Readable | undefined): Error | undefined {
  return upload?.errored instanceof TandemError ? upload.errored : undefined;
}

function abortReason(signal: AbortSignal | undefined): TandemError | undefined {
  if (!signal?.aborted) return undefined;
  if (signal.reason instanceof TandemError) return signal.reason;
  return new TandemError('CANCELLED', 'The request was given up.', { cause: signal.reason });
}

async function readBody(response: IncomingMessage, call: Call): Promise<string> {
  response.setTimeout(call.timeoutMs ?? ANSWER_TIMEOUT_MS, () => {
    response.destroy(new Error('the answer stopped in the middle'));
  });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > ANSWER_BYTES_MAX) throw new Error('the answer is too long');
      chunks.push(chunk);
    }
  } catch (error) {
    throw abortReason(call.signal) ?? unreachable(call.path, error);
  } finally {
    // An upload that was refused in the middle would keep the connection open.
    response.destroy();
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readError(text: string, statusCode: number | undefined): TandemError {
  const answer = v.safeParse(ErrorAnswer, tryJson(text));
  if (answer.success) return TandemError.fromBody(answer.output.error as never);
  return new TandemError('INTERNAL', `The platform answered ${statusCode} without a reason.`);
}

function parseAnswer<S extends v.GenericSchema>(
  schema: S,
  text: string,
  path: string,
): v.InferOutput<S> {
  const answer = v.safeParse(schema, tryJson(text));
  if (answer.success) return answer.output;
  const issue = answer.issues[0];
  throw new TandemError(
    'INTERNAL',
    `The platform's answer to ${path} is not understood (${v.getDotPath(issue) ?? 'body'}: ${issue.message}).`,
    { hint: 'tandem status     (compare its version with: tandem --version)' },
  );
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function queryString(query: Call['query'] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text === '' ? '' : `?${text}`;
}

export function unreachable(socketPath: string, cause: unknown): TandemError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EACCES' || code === 'EPERM') {
    return new TandemError('PLATFORM_UNREACHABLE', 'This user may not use the control socket.', {
      where: socketPath,
      hint: 'sudo tandem ...     (the socket belongs to root)',
      cause,
    });
  }
  const absent = code === 'ENOENT' || code === 'ECONNREFUSED';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TandemError(
    'PLATFORM_UNREACHABLE',
    absent ? 'No platform listens on the control socket.' : `The platform is gone: ${reason}.`,
    {
      where: socketPath,
      hint: 'script/up     (starts the platform on this machine)\ntandem login ssh://root@HOST     (uses another machine)',
      cause,
    },
  );
}
