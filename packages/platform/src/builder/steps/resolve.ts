// From dependency files to a lock with hashes. Kept by the key of its inputs, so a deploy that only
// changes code resolves nothing.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import { buildDirectory } from '../../ports/paths.ts';
import { mountOf, workMounts, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey, fileHash } from '../content-key.ts';
import type { DependencySource } from '../detect/dependency-files.ts';
import { readRequirements, type RequirementLine } from '../detect/requirements-file.ts';
import { under, type SourceTree } from '../detect/source-tree.ts';
import { explainInstall } from '../diagnosis/explain-install.ts';
import { parseLock, type Lock } from './lock.ts';
import { requirementsOfPoetryLock } from './poetry-lock.ts';
import { layersOn, uvEnv, type Toolchain } from './toolchain.ts';

const PUBLIC_INDEX = 'https://pypi.org/simple';
const LOCK_BYTES_MAX = 8 * 1024 * 1024;
const EDITABLE_FILES = ['pyproject.toml', 'setup.py', 'setup.cfg'];

export interface ResolveRequest {
  readonly source: DependencySource;
  readonly tree: SourceTree;
  readonly toolchain: Toolchain;
}

/** Undefined when the project names no dependencies. */
export async function resolveLock(
  options: BuilderOptions,
  session: BuildSession,
  request: ResolveRequest,
): Promise<Lock | undefined> {
  const { source, tree } = request;
  if (source.kind === 'none') return undefined;
  if (source.kind === 'poetry-lock') {
    const [lock = '', pyproject = ''] = source.files.map((path) => tree.read(path) ?? '');
    return parseLock(requirementsOfPoetryLock(lock, pyproject));
  }
  const kept = join(
    buildDirectory(options.paths),
    'locks',
    await resolveKey(options, session, request),
  );
  const known = await readFile(kept, 'utf8').catch(() => undefined);
  if (known !== undefined) return parseLock(known);
  const text = await runUv(options, session, request);
  await mkdir(join(kept, '..'), { recursive: true, mode: 0o700 });
  await writeFileAtomic(kept, text);
  return parseLock(text);
}

async function resolveKey(
  options: BuilderOptions,
  session: BuildSession,
  { source, tree, toolchain }: ResolveRequest,
): Promise<string> {
  const texts = source.files.map((path) => [path, tree.read(path)]);
  const { config } = session.request;
  // uv puts variables into URLs: ${TOKEN}.
  const used = JSON.stringify(texts).matchAll(/\$\{(\w+)\}/g);
  const variables = [...used].map(([, name = '']) => [name, config[name]]);
  const paths = await pathsKey(session, source, tree);
  const { identity } = toolchain;
  return contentKey('lock', { texts, variables, paths, identity, index: options.indexUrl });
}

/** What an installed path of the source adds to a key; an editable install only its metadata. */
export async function pathsKey(
  session: BuildSession,
  source: DependencySource,
  tree: SourceTree,
): Promise<unknown> {
  if (!source.namesPaths) return undefined;
  const onlyProject = source.installProject || isOnlyEditableProject(source, tree);
  if (!onlyProject) return await fileHash(session.request.archivePath);
  return EDITABLE_FILES.map((name) => tree.read(under(source.directory, name)));
}

function isOnlyEditableProject(source: DependencySource, tree: SourceTree): boolean {
  const paths = requirementLines(source, tree).filter(({ name }) => name === undefined);
  return paths.every(
    ({ text }) => /^(-e|--editable)[\s=]+\.\/?$/.test(text) || text.startsWith('--'),
  );
}

export function requirementLines(source: DependencySource, tree: SourceTree): RequirementLine[] {
  if (source.kind !== 'requirements') return [];
  return [...readRequirements(tree, source.files[0] ?? '').lines];
}

async function runUv(
  options: BuilderOptions,
  session: BuildSession,
  request: ResolveRequest,
): Promise<string> {
  const { source, toolchain, tree } = request;
  await mkdir(join(session.disk.work, 'bin'), { recursive: true });
  let result = await resolveOn(options, session, request, 'base');
  if (result.exit.code !== 0 && needsCompiler(result.logTail)) {
    await session.log.say('a package must be built to be read; again, with compilers');
    result = await resolveOn(options, session, request, 'build');
  }
  const output = join(session.disk.work, 'lock.txt');
  const text = await readUntrustedFile(output, LOCK_BYTES_MAX);
  await rm(output, { force: true });
  if (result.exit.code === 0 && text !== undefined) {
    const own = source.kind === 'pyproject' && source.installProject ? '-e .\n' : '';
    return withoutDefaultIndex(text, options.indexUrl ?? PUBLIC_INDEX) + own;
  }
  const lines = requirementLines(source, tree);
  throw explainInstall({
    logTail: result.logTail,
    file: source.files[0] ?? toolchain.minor,
    lines,
  });
}

async function resolveOn(
  options: BuilderOptions,
  session: BuildSession,
  { source, toolchain }: ResolveRequest,
  kind: 'base' | 'build',
): Promise<StepResult> {
  const stack = kind === 'base' ? toolchain.stack : await options.stacks.stack('build');
  return await session.run({
    name: kind === 'base' ? 'resolve' : 'resolve-again',
    layers: layersOn(stack, toolchain.interpreterLayer),
    args: uvArgs(source, toolchain),
    env: { ...session.request.config, ...uvEnv(options) },
    cwd: under('/app', source.directory).replace(/\/$/, ''),
    uid: session.request.buildUid,
    mounts: [
      ...workMounts(session.disk.work, options.uvPath),
      mountOf(session.disk.source, '/app', !source.namesPaths),
    ],
    network: true,
  });
}

function uvArgs(source: DependencySource, toolchain: Toolchain): [string, ...string[]] {
  const python = ['--python', toolchain.interpreter.executable];
  const output = ['--output-file', '/build/lock.txt', '--no-header', '--no-annotate', '--quiet'];
  if (source.kind === 'uv-lock') {
    const project = source.installProject ? [] : ['--no-emit-project'];
    const format = ['--format', 'requirements-txt', '--frozen', '--no-dev', '--emit-index-url'];
    return ['/build/bin/uv', 'export', ...format, ...project, ...python, ...output];
  }
  const file = (source.files[0] ?? '').slice(
    source.directory === '' ? 0 : source.directory.length + 1,
  );
  // Indexes that the files name belong to the lock: they decide where a package comes from.
  const emit = ['--generate-hashes', '--emit-index-url', '--emit-find-links'];
  return ['/build/bin/uv', 'pip', 'compile', file, ...emit, ...python, ...output];
}

/** The index that everybody uses says nothing of where these packages come from. */
function withoutDefaultIndex(text: string, index: string): string {
  const lines = text.split('\n');
  const isDefault = (line: string): boolean =>
    line.replace(/\/$/, '') === `--index-url ${index.replace(/\/$/, '')}`;
  return lines.filter((line) => !isDefault(line)).join('\n');
}

function needsCompiler(log: string): boolean {
  return /Failed to (download and )?build|Git (operation failed|executable not found)/.test(log);
}
