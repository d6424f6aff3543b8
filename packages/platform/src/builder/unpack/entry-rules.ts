// What an archive entry may be. Pure: path and kind in, a cleaned path or a refusal out.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';

const COMPONENT_BYTES_MAX = 255;
const SETUID_SETGID = 0o6000;

/** The path without `./` and trailing slashes; '' for the tree itself. Throws for one that leaves. */
export function cleanEntryPath(name: string): string {
  if (name.startsWith('/')) throw unsafePath(name, 'is an absolute path');
  if (name.includes('\0')) throw unsafePath(name, 'holds a NUL byte');
  if (Buffer.byteLength(name) > LIMITS.upload.pathBytesMax) {
    throw unsafePath(`${name.slice(0, 80)}...`, 'is longer than the limit');
  }
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw unsafePath(name, 'leaves the source tree');
  if (parts.some((part) => Buffer.byteLength(part) > COMPONENT_BYTES_MAX)) {
    throw unsafePath(`${name.slice(0, 80)}...`, 'has a name longer than the limit');
  }
  return parts.join('/');
}

export function refuseSetuid(path: string, mode: number | undefined): void {
  if (((mode ?? 0) & SETUID_SETGID) === 0) return;
  throw new TandemError('ARCHIVE_SETUID', `"${path}" has the setuid or setgid bit.`, {
    where: path,
    hint: `chmod ug-s ${path}`,
  });
}

/** Only the executable bit of the archive counts: everybody reads, nobody but the build writes. */
export function fileMode(mode: number | undefined): number {
  return ((mode ?? 0) & 0o111) === 0 ? 0o644 : 0o755;
}

export function unsafePath(path: string, why: string): TandemError {
  return new TandemError('ARCHIVE_PATH_UNSAFE', `Archive entry "${path}" ${why}.`, {
    where: path,
    hint: 'pack paths relative to the project folder: tar -C PROJECT -czf source.tar.gz .',
  });
}

export function unsafeLink(path: string, target: string, why: string): TandemError {
  return new TandemError('ARCHIVE_LINK_UNSAFE', `Link "${path}" -> "${target}" ${why}.`, {
    where: path,
    hint: `replace the link by the file it means, or leave it out: rm ${path}`,
  });
}

export function specialFile(path: string, type: string): TandemError {
  return new TandemError('ARCHIVE_SPECIAL_FILE', `Archive entry "${path}" is a ${type}.`, {
    where: path,
    hint: `leave it out of the source: rm ${path}`,
  });
}
