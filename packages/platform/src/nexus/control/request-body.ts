// Reads a JSON body within bounds of size and time.
import type { IncomingMessage } from 'node:http';
import { TandemError } from '@tandem/protocol';
import type * as v from 'valibot';
import { LIMITS } from '../../domain/limits.ts';
import { check } from './validation.ts';

export async function readJson<S extends v.GenericSchema>(
  request: IncomingMessage,
  schema: S,
): Promise<v.InferOutput<S>> {
  const text = await readText(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TandemError('REQUEST_INVALID', `The body is not JSON: ${(error as Error).message}.`, {
      where: 'body',
    });
  }
  return check(schema, value, 'body');
}

async function readText(request: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => request.destroy(), LIMITS.control.bodyTimeoutMs);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > LIMITS.control.bodyBytesMax) {
        throw new TandemError(
          'REQUEST_INVALID',
          `The body is over ${LIMITS.control.bodyBytesMax} bytes.`,
          { where: 'body' },
        );
      }
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
