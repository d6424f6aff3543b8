// Packs a source as tar.gz, as a stream. Owner, times and permissions are the same on every
// machine, so equal trees give equal bytes.
import { closeSync, createReadStream, fstatSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { Transform, type Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import { TandemError, UPLOAD_LIMITS } from '@tandem/protocol';
import { pack, type Header, type Pack } from 'tar-stream';
import type { Source, SourceFile } from './collect.ts';
import { archiveTooLarge } from './size-report.ts';

type EntryHeader = Partial<Header> & Pick<Header, 'name'>;

/** Read at once: for small files the round trips of a stream cost more than the reading. */
const WHOLE_BYTES_MAX = 1024 * 1024;

export interface ArchiveProgress {
  files: number;
  sizeBytes: number;
}

export interface Archive {
  readonly stream: Readable;
  /** Grows while the stream is read. */
  readonly progress: Readonly<ArchiveProgress>;
}

export function packSource(source: Source, limitBytes = UPLOAD_LIMITS.sizeBytesMax): Archive {
  const progress = { files: 0, sizeBytes: 0 };
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      progress.sizeBytes += chunk.length;
      if (progress.sizeBytes > limitBytes) done(archiveTooLarge(source, limitBytes));
      else done(null, chunk);
    },
  });
  const tar = pack();
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // Failures of any part come out of the meter, which is what the reader sees.
  pipeline(tar, gzip, meter).catch((error: Error) => meter.destroy(error));
  fill(tar, source, progress).catch((error: Error) => {
    meter.destroy(error);
    tar.destroy();
  });
  return { stream: meter, progress };
}

async function fill(tar: Pack, source: Source, progress: ArchiveProgress): Promise<void> {
  for (const file of source.files) {
    if (tar.destroyed) return;
    await addFile(tar, file);
    progress.files += 1;
  }
  tar.finalize();
}

async function addFile(tar: Pack, file: SourceFile): Promise<void> {
  const header: EntryHeader = {
    name: file.path,
    mode: file.executable ? 0o755 : 0o644,
    mtime: new Date(0),
    uid: 0,
    gid: 0,
  };
  if (file.link !== undefined) {
    await written(tar, { ...header, type: 'symlink', linkname: file.link });
    return;
  }
  const handle = openFile(file);
  try {
    // The size now, not the one when the folder was listed.
    const size = fstatSync(handle).size;
    if (size <= WHOLE_BYTES_MAX) await written(tar, header, readFileSync(handle));
    else await streamed(tar, { ...header, size }, handle, file);
  } finally {
    closeSync(handle);
  }
}

function openFile(file: SourceFile): number {
  try {
    return openSync(file.absolute, 'r');
  } catch (error) {
    throw new TandemError(
      'UPLOAD_INCOMPLETE',
      `A file cannot be read: ${(error as Error).message}.`,
      { where: file.path, hint: 'List it in .tandemignore, or make it readable.', cause: error },
    );
  }
}

/** The callback of an entry waits for the reader, which keeps the archive from piling up here. */
async function written(tar: Pack, header: EntryHeader, content = Buffer.alloc(0)): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const entry = tar.entry(header, content, (error) => (error ? reject(error) : resolve()));
    entry.on('error', reject);
  });
}

async function streamed(
  tar: Pack,
  header: EntryHeader,
  handle: number,
  file: SourceFile,
): Promise<void> {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const entry = tar.entry(header, (error) => (error ? reject(error) : resolve()));
  entry.on('error', reject);
  done.catch(() => undefined);
  const content = createReadStream('', {
    fd: handle,
    start: 0,
    end: (header.size ?? 1) - 1,
    autoClose: false,
  });
  let sizeBytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (!entry.write(chunk)) await Promise.race([once(entry, 'drain'), done]);
  }
  if (sizeBytes !== header.size) {
    throw new TandemError('UPLOAD_INCOMPLETE', 'A file shrank while it was read.', {
      where: file.path,
      hint: 'tandem deploy',
    });
  }
  entry.end(undefined);
  await done;
}
