// From dependency files to a lock with hashes. Kept by the key of its inputs, so a deploy that only
// changes code resolves nothing.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import { buildDirectory } from '../../ports/paths.ts';
import { mountOf, workMounts, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import { declaredIndexes } from '../detect/dependencies/declared-indexes.ts';
import type { DependencySource } from '../detect/dependency-files.ts';
import { insideApp, type SourceTree } from '../detect/source-tree.ts';
import { explainInstall } from '../diagnosis/explain-install.ts';
import type { BuildGround } from '../system-packages/build-ground.ts';
import { parseLock, type Lock } from './lock.ts';
import { pathsKey } from './paths-key.ts';
import { PUBLIC_INDEX } from './pip-dialect.ts';
import { buildNeedsModule, withoutItself } from './own-build.ts';
import { oldSetuptools, wantsOldSetuptools } from './old-setuptools.ts';
import { privateIndexes, type PrivateIndexes } from './private-indexes.ts';
import { projectLock } from './project-lock.ts';
import { writeResolverInput } from './resolver-input.ts';
import { layersOn, uvEnvWith, type Toolchain } from './toolchain.ts';

const LOCK_BYTES_MAX = 8 * 1024 * 1024;
export interface ResolveRequest {
  readonly source: DependencySource;
  readonly tree: SourceTree;
  readonly toolchain: Toolchain;
  readonly ground: BuildGround;
}

/** Undefined when the project names no dependencies. */
export async function resolveLock(
  options: BuilderOptions,
  session: BuildSession,
  request: ResolveRequest,
): Promise<Lock | undefined> {
  const { source, tree } = request;
  if (source.kind === 'none') return undefined;
  const indexes = indexesOf(session, source, tree);
  const own = projectLock(source, tree);
  if (own !== undefined) return parseLock(completed(own, options, request, indexes));
  const key = await resolveKey(options, session, request);
  const kept = join(buildDirectory(options.paths), 'locks', key);
  const known = await readFile(kept, 'utf8').catch(() => undefined);
  if (known !== undefined) return parseLock(known);
  const text = completed(await runUv(options, session, request), options, request, indexes);
  await mkdir(join(kept, '..'), { recursive: true, mode: 0o700 });
  await writeFileAtomic(kept, text);
  return parseLock(text);
}

/** Indexes of the app's config, with the credentials for those that the project declares. */
export function indexesOf(
  session: BuildSession,
  source: DependencySource,
  tree: SourceTree,
): PrivateIndexes {
  return privateIndexes(session.request.config, declaredIndexes(tree, source.directory));
}

/** What the resolver does not say: the indexes, without their credentials, and the project itself. */
function completed(
  text: string,
  options: BuilderOptions,
  { source, tree }: ResolveRequest,
  indexes: PrivateIndexes,
): string {
  const declared = declaredIndexes(tree, source.directory);
  const mirror = options.indexUrl?.replace(/\/$/, '');
  const lines = indexes
    .hide(text)
    .split('\n')
    .filter((line) => !PUBLIC_INDEX.test(line))
    .filter((line) => line.replace(/\/$/, '') !== `--index-url ${mirror}`);
  // The resolver keeps quiet about indexes that only some packages may come from.
  const explicit = source.kind === 'pyproject' ? declared : [];
  const named = explicit.map(({ url }) => indexes.hide(`--extra-index-url ${url}`));
  const missing = [...indexes.lines, ...named].filter(
    (line) => !lines.includes(line) && !PUBLIC_INDEX.test(line),
  );
  const places = indexes.identity.map((address) => `# index: ${address}`);
  const isHere = source.installProject && source.member === undefined;
  const own = isHere && !lines.some((line) => /^-e \.(\[|\s|$)/.test(line));
  return [...places, ...missing, ...lines, ...(own ? ['-e .', ''] : [])].join('\n');
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
  const { requirements, extras, groups, preferred, installProject, member } = source;
  return contentKey('lock', {
    texts,
    variables,
    paths: await pathsKey(session, source, tree),
    identity: toolchain.identity,
    index: options.indexUrl,
    indexes: indexesOf(session, source, tree).identity,
    chosen: [requirements, extras, groups, preferred, installProject, member],
  });
}

async function runUv(
  options: BuilderOptions,
  session: BuildSession,
  request: ResolveRequest,
): Promise<string> {
  const { source, toolchain, tree } = request;
  await mkdir(join(session.disk.work, 'bin'), { recursive: true });
  const indexes = indexesOf(session, source, tree);
  const input = await writeResolverInput(session, source, tree, indexes);
  let result = await resolveOn(options, session, request, { stack: 'base', input });
  if (result.exit.code !== 0 && needsCompiler(result.logTail)) {
    await session.log.say('a package must be built to be read; again, with compilers');
    result = await resolveOn(options, session, request, { stack: 'build', input });
  }
  if (result.exit.code !== 0 && wantsOldSetuptools(result.logTail)) {
    await session.log.say('a package is older than its build tools; again, with older ones');
    const env = await oldSetuptools(session.disk.work, result.logTail);
    result = await resolveOn(options, session, request, { stack: 'build', input, env });
  }
  const without = buildNeedsModule(result.logTail) ? withoutItself(source) : undefined;
  if (result.exit.code !== 0 && without !== undefined) {
    await session.log.say(
      'its build imports what it depends on; again, without the project itself',
    );
    const listed = await writeResolverInput(session, without, tree, indexes);
    const reduced = { ...request, source: without };
    result = await resolveOn(options, session, reduced, { stack: 'build', input: listed });
  }
  const output = join(session.disk.work, 'lock.txt');
  const text = await readUntrustedFile(output, LOCK_BYTES_MAX);
  await rm(output, { force: true });
  if (result.exit.code === 0 && text !== undefined) return text;
  throw explainInstall({
    logTail: result.logTail,
    file: source.files[0] ?? toolchain.minor,
    lines: source.lines,
    indexes: declaredIndexes(tree, source.directory),
  });
}

async function resolveOn(
  options: BuilderOptions,
  session: BuildSession,
  { source, toolchain, tree, ground }: ResolveRequest,
  on: {
    readonly stack: 'base' | 'build';
    readonly input: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<StepResult> {
  const stack = on.stack === 'base' ? [toolchain.stack.layer] : await ground.building(source.names);
  return await session.run({
    name: on.stack === 'base' ? 'resolve' : on.env ? 'resolve-old' : 'resolve-again',
    layers: layersOn(stack, toolchain.interpreterLayer),
    args: uvArgs(source, toolchain, on.input),
    env: { ...uvEnvWith(options, indexesOf(session, source, tree)), ...on.env },
    cwd: insideApp(source.directory),
    uid: session.request.buildUid,
    mounts: [
      ...workMounts(session.disk.work, options.uvPath),
      mountOf(session.disk.source, '/app', !source.namesPaths && !source.installProject),
    ],
    network: true,
  });
}

function uvArgs(
  source: DependencySource,
  toolchain: Toolchain,
  input: readonly string[],
): [string, ...string[]] {
  const python = ['--python', toolchain.interpreter.executable];
  const output = ['--output-file', '/build/lock.txt', '--no-header', '--no-annotate', '--quiet'];
  const chosen = [
    ...source.extras.flatMap((name) => ['--extra', name]),
    ...source.groups.flatMap((name) => ['--group', name]),
  ];
  if (source.kind === 'uv-lock') {
    const format = ['--format', 'requirements-txt', '--frozen', '--no-default-groups'];
    const member = source.member === undefined ? [] : ['--package', source.member.name];
    // A member lies elsewhere than the lock, which knows where.
    const own = source.member && source.installProject ? [] : ['--no-emit-project'];
    const what = ['--emit-index-url', ...member, ...own, ...chosen];
    return ['/build/bin/uv', 'export', ...format, ...what, ...python, ...output];
  }
  // Indexes that the files name belong to the lock: they decide where a package comes from.
  const emit = ['--generate-hashes', '--emit-index-url', '--emit-find-links'];
  const which = source.kind === 'pyproject' ? chosen : [];
  return ['/build/bin/uv', 'pip', 'compile', ...input, ...which, ...emit, ...python, ...output];
}

function needsCompiler(log: string): boolean {
  return /Failed to (download and )?build|Git (operation failed|executable not found)/.test(log);
}
