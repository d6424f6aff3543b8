// The file of cluster keys: 0600, owned by us, made once. Whoever reads it reads every secret of the
// store, so anything unusual about it is refused.
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { syncDirectory } from '../../lib/atomic-file.ts';
import type { ClusterKey } from './sealed-secret.ts';

const KEY_BYTES = 32;
const FILE_BYTES_MAX = 64 * 1024;

const KeyFile = v.object({
  schemaVersion: v.literal(1),
  /** Oldest first. */
  keys: v.pipe(
    v.array(
      v.object({
        kid: v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/)),
        /** 32 bytes in base64url. */
        key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
        createdAtMs: v.number(),
      }),
    ),
    v.minLength(1),
    v.check((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length),
  ),
});

/** Oldest first, at least one. Throws CLUSTER_KEY_INVALID. */
export async function readClusterKeys(path: string): Promise<ClusterKey[]> {
  const file = (await openExisting(path)) ?? (await createAndOpen(path));
  try {
    await checkFile(path, file);
    return parse(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

async function openExisting(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw invalid(path, code === 'ELOOP' ? 'is a symbolic link' : `cannot be opened (${code})`);
  }
}

/** Linked into place whole and synced; of several processes that try, one wins and all read it. */
async function createAndOpen(path: string): Promise<FileHandle> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(newKeyFile());
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(directory);
  const made = await openExisting(path);
  if (made === undefined) throw invalid(path, 'vanished while it was being made');
  return made;
}

function newKeyFile(): string {
  const key = {
    kid: randomBytes(4).toString('hex'),
    key: randomBytes(KEY_BYTES).toString('base64url'),
    createdAtMs: Date.now(),
  };
  const content: v.InferInput<typeof KeyFile> = { schemaVersion: 1, keys: [key] };
  return `${JSON.stringify(content, null, 2)}\n`;
}

async function checkFile(path: string, file: FileHandle): Promise<void> {
  const { mode, uid, size } = await file.stat();
  const mine = process.geteuid?.();
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw invalid(path, 'is not a file');
  if (uid !== mine) {
    throw invalid(path, `belongs to uid ${uid}, not to ${mine}`, `chown ${mine} ${path}`);
  }
  if ((mode & 0o077) !== 0) {
    const permissions = (mode & 0o777).toString(8);
    throw invalid(path, `is open to others (mode ${permissions})`, `chmod 600 ${path}`);
  }
  if (size > FILE_BYTES_MAX) throw invalid(path, `has ${size} bytes, too many for keys`);
}

function parse(path: string, text: string): ClusterKey[] {
  let content: v.InferOutput<typeof KeyFile>;
  try {
    content = v.parse(KeyFile, JSON.parse(text));
  } catch {
    // Without the cause: it would quote the file.
    throw invalid(path, 'is damaged');
  }
  return content.keys.map(({ kid, key }) => ({ kid, key: Buffer.from(key, 'base64url') }));
}

function invalid(path: string, what: string, hint?: string): TandemError {
  return new TandemError('CLUSTER_KEY_INVALID', `${path} ${what}`, {
    hint: hint ?? `Restore ${path} from a backup; without it no secret can be read.`,
  });
}
