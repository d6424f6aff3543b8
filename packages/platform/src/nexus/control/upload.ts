// Streams an uploaded archive to a file, within the limit. What does not end well leaves no file.
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { TandemError, toTandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';

export interface UploadLimits {
  readonly sizeBytesMax: number;
  readonly idleMs: number;
}

/** Resolves with the size once the whole body is on disk and synced. */
export async function receiveUpload(
  request: IncomingMessage,
  path: string,
  limits: UploadLimits = {
    sizeBytesMax: LIMITS.upload.sizeBytesMax,
    idleMs: LIMITS.control.uploadIdleMs,
  },
): Promise<number> {
  refuseDeclaredSize(request, limits);
  const file = await open(path, 'wx', 0o600);
  try {
    const sizeBytes = await copyBody(request, file, limits);
    await file.sync();
    await file.close();
    return sizeBytes;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw explain(error);
  }
}

async function copyBody(
  request: IncomingMessage,
  file: FileHandle,
  limits: UploadLimits,
): Promise<number> {
  request.setTimeout(limits.idleMs, () => request.destroy());
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limits.sizeBytesMax) throw tooLarge(limits);
    await file.writev([chunk]);
  }
  if (!request.complete) throw incomplete();
  return sizeBytes;
}

function refuseDeclaredSize(request: IncomingMessage, limits: UploadLimits): void {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limits.sizeBytesMax) throw tooLarge(limits);
}

function tooLarge(limits: UploadLimits): TandemError {
  const megabytes = Math.floor(limits.sizeBytesMax / 1_000_000);
  return new TandemError('UPLOAD_TOO_LARGE', `The source is over ${megabytes} MB, compressed.`, {
    hint: 'List what the app does not need in .tandemignore (same form as .gitignore).',
  });
}

function incomplete(): TandemError {
  return new TandemError('UPLOAD_INCOMPLETE', 'The upload ended before its end.', {
    hint: 'tandem deploy',
  });
}

function explain(error: unknown): TandemError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TandemError('DISK_FULL', 'The disk of the platform has no room for the upload.', {
      hint: 'tandem status',
      cause: error,
    });
  }
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE') return incomplete();
  return toTandemError(error);
}
