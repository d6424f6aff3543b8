// The layer with a Python interpreter, packed when an app first asks for its version.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { TandemError } from '@tandem/protocol';
import { isDiskFull } from '../../lib/disk-full.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { ownedName, sweepAbandoned } from '../../lib/owned-name.ts';
import type { ImageStore, LayerRef } from '../../ports/image-store.ts';
import { INTERPRETER_PREFIX, makeInterpreterTree } from './interpreter-tree.ts';
import { listInterpreters, seriesOf } from './list-interpreters.ts';
import type { Interpreter, InterpreterSearch } from './list-interpreters.ts';

export interface InterpreterLayerOptions {
  readonly imageStore: ImageStore;
  readonly search: InterpreterSearch;
  /** Scratch space on disk; needs about 100 MB for some seconds. */
  readonly workDirectory: string;
  readonly signal?: AbortSignal;
}

/** Raise when the tree made from the same installation changes. */
const LAYER_VERSION = 1;
const building = new KeyedMutex();

/**
 * Undefined for the stack's own Python, which needs no layer. `version` is one that
 * listInterpreters gives; throws PYTHON_UNAVAILABLE for another, else IMAGE_FAILED, DISK_FULL or
 * CANCELLED.
 */
export async function ensureInterpreterLayer(
  version: string,
  options: InterpreterLayerOptions,
): Promise<LayerRef | undefined> {
  const interpreter = await find(version, options.search);
  if (interpreter.source === 'stack') return undefined;
  return await building.run(`${options.workDirectory} ${interpreter.prefix}`, async () => {
    const key = await keyOf(interpreter);
    return (await options.imageStore.findByKey(key)) ?? (await build(interpreter, key, options));
  });
}

async function find(version: string, search: InterpreterSearch): Promise<Interpreter> {
  const known = await listInterpreters(search);
  const found = known.find((interpreter) => interpreter.version === version);
  if (found) return found;
  const versions = known.map((interpreter) => interpreter.version).join(', ');
  throw new TandemError('PYTHON_UNAVAILABLE', `Python ${version} is not on this machine`, {
    hint: `Use one of ${versions}, or install it: uv python install ${version}`,
  });
}

async function build(
  interpreter: Interpreter,
  key: string,
  { imageStore, workDirectory, signal }: InterpreterLayerOptions,
): Promise<LayerRef> {
  await mkdir(workDirectory, { recursive: true, mode: 0o700 });
  await sweepAbandoned(workDirectory);
  const tree = join(workDirectory, await ownedName('interpreter'));
  try {
    await mkdir(tree, { mode: 0o755 });
    await makeInterpreterTree(interpreter, tree, signal);
    const options = { prefix: INTERPRETER_PREFIX, ...(signal ? { signal } : {}) };
    const layer = await imageStore.pack(tree, options);
    await imageStore.bindKey(key, layer);
    return layer;
  } catch (error) {
    throw explain(error, interpreter, signal);
  } finally {
    await rm(tree, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Of what would be packed: another build of the same version is another interpreter. */
async function keyOf({ version, source, prefix }: Interpreter): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(['interpreter', LAYER_VERSION, version, source]));
  const series = seriesOf(version);
  const files = [`bin/python${series}`, `lib/libpython${series}.so.1.0`];
  for (const path of files.map((file) => join(prefix, file))) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) await pipeline(createReadStream(path), hash, { end: false });
  }
  return hash.digest('hex');
}

function explain(error: unknown, { version, prefix }: Interpreter, signal?: AbortSignal): Error {
  const what = `the layer of Python ${version} from ${prefix}`;
  if (error instanceof TandemError) return error;
  if (signal?.aborted) return new TandemError('CANCELLED', `${what} was not made`);
  if (isDiskFull(error)) {
    const hint = 'Free space: df -h /var/lib/tandem';
    return new TandemError('DISK_FULL', `no space for ${what}`, { hint, cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  const hint = `Install another build of it: uv python install ${version}`;
  return new TandemError('IMAGE_FAILED', `${what} failed: ${why}`, { hint, cause: error });
}
