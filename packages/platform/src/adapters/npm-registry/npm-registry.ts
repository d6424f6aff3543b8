// A registry of npm packages over HTTP. Documents of packages are kept on disk for some days.
// https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
import { createHash, timingSafeEqual } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { PackageRegistry, PublishedVersion } from '../../ports/package-registry.ts';

export interface NpmRegistryOptions {
  /** Default: the public one. */
  readonly url?: string;
  readonly cacheDirectory: string;
  readonly now: () => number;
}

const PUBLIC_REGISTRY = 'https://registry.npmjs.org';
const FRESH_MS = 3 * 24 * 60 * 60_000;
const DOCUMENT_BYTES_MAX = 32 * 1024 * 1024;
const ARCHIVE_BYTES_MAX = 256 * 1024 * 1024;
const DOCUMENT_TIMEOUT_MS = 30_000;
const ARCHIVE_TIMEOUT_MS = 300_000;
const ATTEMPTS = 3;
const NAME = /^(@[\w.-]+\/)?[\w.-]+$/;

const Version = v.object({
  engines: v.optional(v.unknown()),
  dist: v.object({ tarball: v.string(), integrity: v.optional(v.string()) }),
});
const Document = v.object({ versions: v.record(v.string(), Version) });
type Document = v.InferOutput<typeof Document>;

export function createNpmRegistry(options: NpmRegistryOptions): PackageRegistry {
  const base = (options.url ?? PUBLIC_REGISTRY).replace(/\/+$/, '');
  const document = (name: string): Promise<Document> => readDocument(options, base, name);
  return {
    url: options.url,
    versions: async (name) =>
      Object.fromEntries(
        Object.entries((await document(name)).versions).map(([version, { engines }]) => [
          version,
          published(engines),
        ]),
      ),
    download: async (name, version, file, signal) => {
      const dist = (await document(name)).versions[version]?.dist;
      if (dist?.integrity === undefined)
        throw unreachable(base, `no archive of ${name} ${version}`);
      const { tarball, integrity } = dist;
      await attempt(base, signal, () => fetchArchive(tarball, integrity, file, signal));
    },
  };
}

function published(engines: unknown): PublishedVersion {
  const isTable = typeof engines === 'object' && engines !== null && 'node' in engines;
  return { node: isTable && typeof engines.node === 'string' ? engines.node : undefined };
}

async function readDocument(
  { cacheDirectory, now }: NpmRegistryOptions,
  base: string,
  name: string,
): Promise<Document> {
  if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a package`);
  const key = createHash('sha256').update(`${base} ${name}`).digest('hex').slice(0, 32);
  const file = join(cacheDirectory, `${key}.json`);
  const age = await stat(file).then(
    ({ mtimeMs }) => now() - mtimeMs,
    () => Infinity,
  );
  const kept = await readFile(file, 'utf8').then(parse, () => undefined);
  if (kept !== undefined && age < FRESH_MS) return kept;
  try {
    const text = await attempt(base, undefined, () => fetchDocument(`${base}/${encoded(name)}`));
    const document = parse(text);
    if (document === undefined) throw unreachable(base, `its answer for ${name} is not understood`);
    await mkdir(cacheDirectory, { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, text);
    return document;
  } catch (error) {
    if (kept !== undefined) return kept;
    throw error;
  }
}

function parse(text: string): Document | undefined {
  try {
    const result = v.safeParse(Document, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

const encoded = (name: string): string => name.replace('/', '%2F');

async function fetchDocument(url: string): Promise<string> {
  // The short form: versions and where they lie, without readmes.
  const headers = { accept: 'application/vnd.npm.install-v1+json' };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(DOCUMENT_TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const text = await answer.text();
  if (text.length > DOCUMENT_BYTES_MAX) throw new Error(`${url}: too large`);
  return text;
}

async function fetchArchive(
  url: string,
  integrity: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(ARCHIVE_TIMEOUT_MS)]);
  const answer = await fetch(url, { signal: timeout });
  if (!answer.ok || answer.body === null) throw new Error(`${url}: ${answer.status}`);
  const hash = createHash('sha512');
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(size > ARCHIVE_BYTES_MAX ? new Error(`${url}: too large`) : null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(answer.body), check, createWriteStream(file, { flags: 'wx' }));
    assertIntegrity(url, integrity, hash.digest());
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

/** `sha512-BASE64`; older hashes are not enough to run what they stand for. */
function assertIntegrity(url: string, integrity: string, digest: Buffer): void {
  const expected = integrity.split(/\s+/).find((one) => one.startsWith('sha512-'));
  const bytes = Buffer.from(expected?.slice('sha512-'.length) ?? '', 'base64');
  if (bytes.length !== digest.length || !timingSafeEqual(bytes, digest)) {
    throw new Error(`${url}: it is not what the registry says (${integrity.slice(0, 20)})`);
  }
}

async function attempt<T>(
  base: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let count = 1; ; count += 1) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TandemError) throw error;
      if (count >= ATTEMPTS) throw unreachable(base, causeOf(error), error);
    }
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function unreachable(base: string, why: string, cause?: unknown): TandemError {
  return new TandemError('REGISTRY_UNREACHABLE', `The npm registry did not answer: ${why}.`, {
    where: base,
    hint: 'try again: tandem deploy',
    cause,
  });
}
