// Writes answers: JSON, errors with the status of their code, and streams of lines.
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { ERROR_CODES, toTandemError, type ErrorBody } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
  });
  response.end(body);
}

export function sendError(response: ServerResponse, thrown: unknown): void {
  const body = toTandemError(thrown).toBody();
  if (response.headersSent) endStreamWithError(response, body);
  else sendJson(response, ERROR_CODES[body.code].httpStatus, { error: body });
}

function endStreamWithError(response: ServerResponse, body: ErrorBody): void {
  response.end(`${JSON.stringify({ error: body })}\n`);
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
