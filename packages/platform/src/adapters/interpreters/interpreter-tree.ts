// Turns an installed CPython into a tree that works at /opt/python of a sandbox: only what apps
// need, found wherever it stands, with bytecode that is valid in an image without times.
import {
  copyFile,
  cp,
  glob,
  lstat,
  mkdir,
  readdir,
  readFile,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { runCommand } from '../../lib/run-command.ts';
import { seriesOf, type Interpreter } from './list-interpreters.ts';

export const INTERPRETER_PREFIX = '/opt/python';

const TOOL_TIMEOUT_MS = 20_000;
const COMPILE_TIMEOUT_MS = 180_000;

/** Directories left out wherever they stand below lib/pythonX.Y. */
const LEFT_OUT = new Set([
  '__pycache__',
  // What the machine's user installed is none of the app's business.
  'site-packages',
  'dist-packages',
  'ensurepip',
  'idlelib',
  'test',
  'tests',
  'tkinter',
  'turtledemo',
]);

/** Fills `tree`, an empty directory. */
export async function makeInterpreterTree(
  interpreter: Interpreter,
  tree: string,
  signal?: AbortSignal,
): Promise<void> {
  const series = seriesOf(interpreter.version);
  await copyProgram(interpreter.prefix, tree, series);
  await copyLibrary(interpreter.prefix, tree, series);
  await cp(join(interpreter.prefix, 'include'), join(tree, 'include'), { recursive: true });
  await relocateTexts(interpreter.prefix, tree, series);
  if (interpreter.source === 'pyenv') await relocateProgram(tree, series);
  await compile(tree, series, signal);
}

async function copyProgram(prefix: string, tree: string, series: string): Promise<void> {
  const bin = join(tree, 'bin');
  await mkdir(bin);
  await copyFile(join(prefix, 'bin', `python${series}`), join(bin, `python${series}`));
  for (const name of ['python3', 'python']) await symlink(`python${series}`, join(bin, name));
}

async function copyLibrary(prefix: string, tree: string, series: string): Promise<void> {
  const [from, to] = [join(prefix, 'lib'), join(tree, 'lib')];
  await mkdir(to);
  for (const name of await readdir(from)) {
    // `libpython3.12.so.1.0`, and uv's own copies of libraries beside it; no static ones.
    if (/\.so(\.|$)/.test(name)) {
      await cp(join(from, name), join(to, name), { verbatimSymlinks: true });
    }
  }
  const standard = join(from, `python${series}`);
  await cp(standard, join(to, `python${series}`), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => isWanted(relative(standard, path)),
  });
  // An interpreter without the directory would not look there once a venv shows it again.
  await mkdir(join(to, `python${series}`, 'site-packages'));
}

function isWanted(path: string): boolean {
  const name = basename(path);
  return !LEFT_OUT.has(name) && !/\.(a|o)$|^(_tkinter|_test|_ctypes_test|xxlimited)/.test(name);
}

/** What C extensions are built by names where the interpreter was installed. */
async function relocateTexts(prefix: string, tree: string, series: string): Promise<void> {
  const texts = ['_sysconfigdata_*.py', 'config-*/Makefile', '_sysconfig_vars_*.json'];
  for (const pattern of texts.map((text) => `lib/python${series}/${text}`)) {
    for await (const path of glob(pattern, { cwd: tree })) {
      const text = await readFile(join(tree, path), 'utf8');
      await writeFile(join(tree, path), text.replaceAll(prefix, INTERPRETER_PREFIX));
    }
  }
}

/**
 * pyenv compiles with debug symbols (15 of 27 MB) and an absolute path to the library; uv's builds
 * have neither. Symbols go first: strip(1) may damage what patchelf has rearranged.
 */
async function relocateProgram(tree: string, series: string): Promise<void> {
  const binaries: string[] = [];
  for await (const path of glob(`lib/{,python${series}/lib-dynload/}*.so*`, { cwd: tree })) {
    const isLink = (await lstat(join(tree, path))).isSymbolicLink();
    if (!isLink) binaries.push(join(tree, path));
  }
  await run('strip', '--strip-debug', ...binaries);
  await run('patchelf', '--set-rpath', '$ORIGIN/../lib', join(tree, `bin/python${series}`));
}

async function run(...argv: [string, ...string[]]): Promise<void> {
  await runCommand(argv, { timeoutMs: TOOL_TIMEOUT_MS });
}

/** Compiled by itself, which also shows that it runs. Hashes instead of times: images have none. */
async function compile(tree: string, series: string, signal?: AbortSignal): Promise<void> {
  const library = `lib/python${series}`;
  const python = join(tree, 'bin', `python${series}`);
  const argv = ['-I', '-m', 'compileall', '-q', '-f', '--invalidation-mode', 'unchecked-hash'];
  argv.push('-d', join(INTERPRETER_PREFIX, library), '-x', String.raw`/lib2to3/tests/|/bad_`);
  await runCommand([python, ...argv, join(tree, library)], {
    timeoutMs: COMPILE_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  });
}
