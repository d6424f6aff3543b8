// The CPython versions this machine has and the stack can run: those of uv and pyenv, and the one in
// the stack itself.
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Interpreter {
  /** Three numbers: `3.12.1`. */
  readonly version: string;
  readonly source: 'pyenv' | 'uv' | 'stack';
  /** Where it is installed on this machine; of the stack's: inside the stack. */
  readonly prefix: string;
}

export interface InterpreterSearch {
  /** Directories that hold `versions/`, for example `~/.pyenv`. */
  readonly pyenvRoots: readonly string[];
  /** Where uv keeps its pythons, for example `~/.local/share/uv/python`. */
  readonly uvRoots: readonly string[];
  readonly stack: { readonly pythonVersion: string; readonly glibcMinor: number };
}

const VERSION = /^(\d+)\.(\d+)\.\d+$/;
const UV_NAME = /^cpython-(\d+\.\d+\.\d+)-linux-[a-z0-9_]+-gnu$/;
/** Frameworks that still get security fixes need at least this. */
const MINOR_MIN = 7;
/** Names of needed symbol versions stand near the start of an ELF file. */
const ELF_HEAD_BYTES = 1024 * 1024;

/** Highest version first, each version once; uv's before pyenv's, since they depend on less. */
export async function listInterpreters(search: InterpreterSearch): Promise<Interpreter[]> {
  const found = [
    ...(await Promise.all(search.uvRoots.map(inUv))).flat(),
    ...(await Promise.all(search.pyenvRoots.map(inPyenv))).flat(),
  ];
  const usable: Interpreter[] = [];
  for (const interpreter of found) {
    const known = usable.some(({ version }) => version === interpreter.version);
    if (known || !isSupported(interpreter.version)) continue;
    if (await runsOn(interpreter, search.stack.glibcMinor)) usable.push(interpreter);
  }
  const { pythonVersion } = search.stack;
  if (!usable.some(({ version }) => version === pythonVersion)) {
    usable.push({ version: pythonVersion, source: 'stack', prefix: '/usr' });
  }
  return usable.sort((a, b) => compareVersions(b.version, a.version));
}

export function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number));
  const differing = [0, 1, 2].map((i) => (a?.[i] ?? 0) - (b?.[i] ?? 0)).find((d) => d !== 0);
  return differing ?? 0;
}

/** `3.12` of `3.12.1`. */
export function seriesOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function isSupported(version: string): boolean {
  const [, major, minor] = VERSION.exec(version) ?? [];
  return major === '3' && Number(minor) >= MINOR_MIN;
}

async function inUv(root: string): Promise<Interpreter[]> {
  const names = await readdir(root).catch(() => []);
  return names.flatMap((name) => {
    const version = UV_NAME.exec(name)?.[1];
    return version === undefined ? [] : [{ version, source: 'uv', prefix: join(root, name) }];
  });
}

async function inPyenv(root: string): Promise<Interpreter[]> {
  const versions = join(root, 'versions');
  const names = await readdir(versions).catch(() => []);
  return names
    .filter((name) => VERSION.test(name))
    .map((version) => ({ version, source: 'pyenv', prefix: join(versions, version) }));
}

/** A build for a newer libc than the stack's would not start in it. */
async function runsOn({ version, prefix }: Interpreter, glibcMinor: number): Promise<boolean> {
  const series = seriesOf(version);
  const program = await readHead(join(prefix, 'bin', `python${series}`));
  if (program === undefined) return false;
  const library = await readHead(join(prefix, 'lib', `libpython${series}.so.1.0`));
  return Math.max(glibcMinorNeeded(program), glibcMinorNeeded(library ?? '')) <= glibcMinor;
}

async function readHead(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(ELF_HEAD_BYTES),
      0,
      ELF_HEAD_BYTES,
      0,
    );
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** 34 when an ELF file names GLIBC_2.34 as its highest need, 0 when it names none. */
export function glibcMinorNeeded(elf: string): number {
  const minors = [...elf.matchAll(/\bGLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  return Math.max(0, ...minors);
}
