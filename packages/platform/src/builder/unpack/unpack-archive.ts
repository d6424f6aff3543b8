// Unpacks a user's tar (plain or gzip) into an empty directory that nobody else can reach yet.
// Links are made last, when no file will be written any more: nothing is ever written through one.
import {
  createReadStream,
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TandemError } from '@tandem/protocol';
import { extract, type Header } from 'tar-stream';
import { LIMITS } from '../../domain/limits.ts';
import { cleanEntryPath, fileMode, refuseSetuid, specialFile, unsafeLink } from './entry-rules.ts';
import { TreeModel } from './tree-model.ts';

const KIB = 1024;
/** A header block and padding for each file come on top of the contents. */
const OVERHEAD_BYTES_PER_FILE = 4 * KIB;

export interface UnpackRequest {
  readonly archivePath: string;
  /** Exists and is empty. */
  readonly directory: string;
  /** Owner of everything unpacked; absent: whoever we are. */
  readonly uid?: number;
  readonly signal: AbortSignal;
  readonly limits?: UnpackLimits;
}

export interface UnpackLimits {
  readonly unpackedBytesMax: number;
  readonly fileCountMax: number;
}

export interface Unpacked {
  readonly fileCount: number;
  readonly sizeBytes: number;
}

export async function unpackArchive(request: UnpackRequest): Promise<Unpacked> {
  const limits = request.limits ?? LIMITS.upload;
  const writer = new TreeWriter(request.directory, request.uid, limits);
  const archive = extract();
  const bytesMax = limits.unpackedBytesMax + limits.fileCountMax * OVERHEAD_BYTES_PER_FILE;
  const gunzip = (await isGzip(request.archivePath)) ? [createGunzip()] : [];
  const streams = [createReadStream(request.archivePath), ...gunzip, boundedBytes(bytesMax)];
  const source = pipeline([...streams, archive], { signal: request.signal });
  try {
    await Promise.all([source, writeEntries(archive, writer)]);
  } catch (error) {
    throw asUserError(error, request.signal);
  }
  writer.finish();
  return { fileCount: writer.fileCount, sizeBytes: writer.sizeBytes };
}

async function writeEntries(
  archive: ReturnType<typeof extract>,
  writer: TreeWriter,
): Promise<void> {
  let contents: FileContents | undefined;
  try {
    for await (const entry of archive) {
      contents = writer.begin(entry.header);
      for await (const chunk of entry) contents?.write(chunk as Buffer);
      contents?.end();
    }
  } catch (error) {
    contents?.abandon();
    archive.destroy(error as Error);
    throw error;
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function boundedBytes(bytesMax: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      done(seen > bytesMax ? tooLarge(bytesMax) : null, chunk);
    },
  });
}

function tooLarge(bytesMax: number): TandemError {
  const mebibytes = Math.floor(bytesMax / KIB / KIB);
  return new TandemError('UPLOAD_TOO_LARGE', `The unpacked source is over ${mebibytes} MiB.`, {
    hint: 'leave data, media and virtualenvs out: list them in .gitignore',
  });
}

function asUserError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof TandemError || signal.aborted) return error;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC') return new TandemError('DISK_FULL', 'The build disk is full.');
  return new TandemError('UPLOAD_INCOMPLETE', `The archive cannot be read: ${String(error)}`, {
    hint: 'upload it again',
    cause: error,
  });
}

class TreeWriter {
  fileCount = 0;
  sizeBytes = 0;
  readonly #model = new TreeModel();
  readonly #directory: string;
  readonly #uid: number | undefined;
  readonly #limits: UnpackLimits;

  constructor(directory: string, uid: number | undefined, limits: UnpackLimits) {
    this.#directory = directory;
    this.#uid = uid;
    this.#limits = limits;
  }

  /** Makes the entry; for a file, gives back where its contents go. */
  begin(header: Header): FileContents | undefined {
    const path = cleanEntryPath(header.name);
    if (path === '') return undefined;
    this.#count(path);
    switch (header.type) {
      case 'directory':
        this.#makeDirectories([...this.#model.missingParents(path), path]);
        return undefined;
      case 'file':
      case 'contiguous-file':
        return this.#beginFile(path, header);
      case 'symlink':
        this.#makeDirectories(this.#model.missingParents(path));
        this.#model.addLink(path, header.linkname ?? '');
        return undefined;
      case 'link':
        this.#hardLink(path, header.linkname ?? '');
        return undefined;
      case 'character-device':
      case 'block-device':
      case 'fifo':
      default:
        throw specialFile(path, header.type ?? 'file of unknown type');
    }
  }

  finish(): void {
    if (this.#model.size === 0) {
      throw new TandemError('UPLOAD_INCOMPLETE', 'The archive holds no files.', {
        hint: 'check that the folder is not empty and its files are tracked: git ls-files',
      });
    }
    this.#model.checkLinks();
    for (const { path, target } of this.#model.links()) {
      symlinkSync(target, this.#at(path));
      if (this.#uid !== undefined) lchownSync(this.#at(path), this.#uid, this.#uid);
    }
  }

  #beginFile(path: string, header: Header): FileContents {
    refuseSetuid(path, header.mode);
    this.#makeDirectories(this.#model.missingParents(path));
    if (this.#model.kindOf(path) === 'file') rmSync(this.#at(path));
    this.#model.addFile(path);
    this.sizeBytes += header.size ?? 0;
    if (this.sizeBytes > this.#limits.unpackedBytesMax) {
      throw tooLarge(this.#limits.unpackedBytesMax);
    }
    return new FileContents(this.#at(path), fileMode(header.mode), this.#uid);
  }

  #hardLink(path: string, linkname: string): void {
    const target = linkTarget(path, linkname);
    this.#makeDirectories(this.#model.missingParents(path));
    if (this.#model.kindOf(target) !== 'file') {
      throw unsafeLink(path, linkname, 'does not name a file unpacked before it');
    }
    if (path === target) return;
    if (this.#model.kindOf(path) === 'file') rmSync(this.#at(path));
    this.#model.addFile(path);
    linkSync(this.#at(target), this.#at(path));
  }

  #makeDirectories(paths: readonly string[]): void {
    for (const path of paths) {
      const isNew = this.#model.kindOf(path) === undefined;
      this.#model.addDirectory(path);
      if (!isNew) continue;
      mkdirSync(this.#at(path));
      chmodSync(this.#at(path), 0o755);
      if (this.#uid !== undefined) chownSync(this.#at(path), this.#uid, this.#uid);
    }
  }

  #count(path: string): void {
    this.fileCount += 1;
    if (this.fileCount <= this.#limits.fileCountMax) return;
    const message = `The archive holds more than ${this.#limits.fileCountMax} files.`;
    throw new TandemError('ARCHIVE_TOO_MANY_FILES', message, {
      where: path,
      hint: 'leave node_modules and virtualenvs out: list them in .gitignore',
    });
  }

  #at(path: string): string {
    return join(this.#directory, path);
  }
}

function linkTarget(path: string, linkname: string): string {
  try {
    return cleanEntryPath(linkname);
  } catch {
    throw unsafeLink(path, linkname, 'leaves the source tree');
  }
}

/** Synchronous on purpose: for thousands of small files that is ten times as fast. */
class FileContents {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #mode: number;
  readonly #uid: number | undefined;
  #closed = false;

  constructor(path: string, mode: number, uid: number | undefined) {
    this.#descriptor = openSync(path, 'wx', 0o600);
    this.#path = path;
    this.#mode = mode;
    this.#uid = uid;
  }

  write(chunk: Buffer): void {
    for (let offset = 0; offset < chunk.length;) {
      offset += writeSync(this.#descriptor, chunk, offset);
    }
  }

  abandon(): void {
    if (!this.#closed) closeSync(this.#descriptor);
    this.#closed = true;
  }

  end(): void {
    this.abandon();
    chmodSync(this.#path, this.#mode);
    if (this.#uid !== undefined) chownSync(this.#path, this.#uid, this.#uid);
  }
}
