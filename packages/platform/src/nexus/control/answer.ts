// Writes answers: JSON, errors with the status of their code, and streams of lines.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { ERROR_CODES, toTandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';

/** After a refusal in mid-upload: how long the rest may still arrive. */
const LINGER_MS = 5_000;

export async function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
): Promise<void> {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.write(body);
  await requestRead(response.req);
  response.end();
}

export async function sendError(response: ServerResponse, thrown: unknown): Promise<void> {
  const body = toTandemError(thrown).toBody();
  if (!response.headersSent) {
    await sendJson(response, ERROR_CODES[body.code].httpStatus, { error: body });
  } else response.end(`${JSON.stringify({ error: body })}\n`);
}

/**
 * Ending an answer ends the connection, and a connection closed with bytes unread is an error to a
 * client that is still writing: it would never read why it was refused.
 */
async function requestRead(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  request.resume();
  const giveUp = AbortSignal.timeout(LINGER_MS);
  await Promise.race([
    once(request, 'end', { signal: giveUp }),
    once(request, 'close', { signal: giveUp }),
  ]).catch(() => undefined);
}

/**
 * Lines as the source gives them, as fast as the client reads. An error before the first line is
 * still an ordinary answer. The source is ended when `signal` fires; the answer then stays without
 * its end, so the caller cuts it and no client takes it for complete.
 */
export async function sendLines(
  response: ServerResponse,
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
  pulseMs: number = LIMITS.control.streamPulseMs,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  // A source that has nothing to say yet must not leave the client without an answer.
  const opening = setTimeout(() => beginStream(response), 250);
  const pulse = setInterval(() => {
    if (!response.writableNeedDrain) write(response, '\n');
  }, pulseMs);
  try {
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      if (!write(response, `${JSON.stringify(next.value)}\n`)) await drained(response, signal);
      if (signal.aborted) return;
    }
    if (signal.aborted) return;
    beginStream(response);
    response.end();
  } finally {
    clearTimeout(opening);
    clearInterval(pulse);
    await iterator.return?.();
  }
}

function beginStream(response: ServerResponse): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
}

function write(response: ServerResponse, text: string): boolean {
  beginStream(response);
  return response.destroyed || response.write(text);
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(response, 'drain', { signal }).catch(() => undefined);
}
