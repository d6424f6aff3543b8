// Which file says what to install: the nearest directory upward from the app; there a lock before
// pyproject.toml before requirements before older formats. When nothing lies upward, the nearest
// directory below; when there is no file at all, what the project imports.
import { posix } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { Finding } from '../../domain/release.ts';
import { buildoutIn } from './dependencies/buildout.ts';
import { condaIn } from './dependencies/conda.ts';
import {
  directoryOf,
  NO_DEPENDENCIES,
  type Candidate,
  type DependencySource,
} from './dependencies/dependency-source.ts';
import { importedIn } from './dependencies/imported-distributions.ts';
import { reasonToInstall } from './dependencies/install-project.ts';
import { lockIn } from './dependencies/locks.ts';
import { pipfileIn } from './dependencies/pipfile.ts';
import { classify } from './dependencies/production-names.ts';
import { pyprojectIn } from './dependencies/pyproject-source.ts';
import { requirementsIn, requirementsSource } from './dependencies/requirements-choice.ts';
import { setupIn } from './dependencies/setup-files.ts';
import { developmentNames } from './development-names.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';

export type { DependencySource } from './dependencies/dependency-source.ts';

/** In the order in which they are believed. */
const KINDS = [lockIn, pyprojectIn, pipfileIn, requirementsIn, buildoutIn, setupIn, condaIn];
const DEPTH_BELOW_MAX = 2;

export interface ConfiguredDependencies {
  readonly requirements?: string | undefined;
  /** Dependency groups and extras beside those for production. */
  readonly groups?: readonly string[] | undefined;
  /** Where `requirements` is set. */
  readonly setIn?: string | undefined;
}

export function detectDependencyFiles(
  tree: SourceTree,
  root: string,
  { requirements, groups = [], setIn = 'tandem.toml' }: ConfiguredDependencies = {},
): Detected<DependencySource> {
  if (requirements !== undefined) {
    return explained({ source: requirementsSource(tree, [requirements]), why: `set in ${setIn}` });
  }
  // A group that is called as the app's directory is the app's.
  const candidate = choose(tree, root, [...groups, posix.basename(root)].filter(Boolean));
  assertGroups(tree, candidate, groups);
  if (candidate === undefined) {
    return detected(
      NO_DEPENDENCIES,
      finding('dependencies', 'none', 'no lock, pyproject or requirements file'),
    );
  }
  const { names, member } = candidate.source;
  const directory = member?.directory ?? candidate.source.directory;
  const reason = reasonToInstall(tree, { directory, root, dependencies: names });
  const installProject = candidate.source.installProject || reason !== undefined;
  const source = withDevelopmentNames(tree, {
    ...candidate.source,
    installProject,
    ...(reason === undefined ? {} : { installReason: reason.why }),
  });
  const result = explained({ ...candidate, source });
  if (reason === undefined) return result;
  const install = finding('install', reason.name, reason.why, reason.evidence);
  return { ...result, findings: [...result.findings, install] };
}

/** One that asks for something, before one for developers, before imports, before an empty one. */
function choose(tree: SourceTree, root: string, groups: readonly string[]): Candidate | undefined {
  const near: Candidate[] = [];
  for (const candidate of candidatesIn(tree, upward(root), groups)) {
    if (isGood(candidate)) return candidate;
    near.push(candidate);
  }
  const below = [...candidatesIn(tree, directoriesBelow(tree), groups)];
  const found = below.find(isGood);
  if (found !== undefined) return alone(found, below);
  const all = [...near, ...below];
  return all.find(({ isDevelopment }) => isDevelopment) ?? importedIn(tree, root) ?? all[0];
}

/** A name that no file knows would silently install nothing. */
function assertGroups(
  tree: SourceTree,
  candidate: Candidate | undefined,
  groups: readonly string[],
): void {
  const files = candidate?.source.files ?? [];
  const words = new Set(files.flatMap((path) => (tree.read(path) ?? '').split(/[^\w-]+/)));
  const unknown = groups.find((name) => !words.has(name));
  if (unknown === undefined && (groups.length === 0 || candidate?.source.wished.length !== 0))
    return;
  const where = files[0] ?? 'tandem.toml';
  throw new TandemError(
    'TANDEM_TOML_INVALID',
    `tandem.toml: ${where} has no group or extra "${unknown ?? groups[0]}".`,
    { where: 'tandem.toml groups', hint: 'groups = ["NAME"], of pyproject.toml or setup.cfg' },
  );
}

function isGood({ isEmpty, isDevelopment }: Candidate): boolean {
  return isEmpty !== true && isDevelopment !== true;
}

/** One after the other: what lies behind the chosen one is not even read. */
function* candidatesIn(
  tree: SourceTree,
  directories: readonly string[],
  groups: readonly string[],
): Generator<Candidate> {
  for (const directory of directories) {
    for (const kind of KINDS) {
      const candidate = kind(tree, directory, groups);
      if (candidate !== undefined) yield candidate;
    }
  }
}

function upward(root: string): string[] {
  const parts = root === '' ? [] : root.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/')).concat('');
}

/** Shallow ones first; not those of tests and documentation. */
function directoriesBelow(tree: SourceTree): string[] {
  const directories = walkFiles(tree, '', DEPTH_BELOW_MAX).map(directoryOf);
  const isProduction = (path: string): boolean =>
    path.split('/').every((part) => classify(part) !== 'development');
  return [...new Set(directories)].filter((path) => path !== '' && isProduction(path));
}

function alone(found: Candidate, all: readonly Candidate[]): Candidate {
  const fileOf = ({ source }: Candidate): string => source.files[0] ?? '';
  const others = all.filter((one) => one !== found && isGood(one)).map(fileOf);
  const why = 'the only one that was found';
  const several = `the first of several: ${[...new Set(others)].slice(0, 3).join(', ')}; set requirements in tandem.toml for another`;
  return { ...found, why: found.why ?? (others.length === 0 ? why : several) };
}

/** For the message when a module is missing: it may be there, but for developers only. */
function withDevelopmentNames(tree: SourceTree, source: DependencySource): DependencySource {
  const names = developmentNames(tree, source.member?.directory ?? source.directory);
  const only = Object.entries(names).filter(([name]) => !source.names.includes(name));
  return { ...source, developmentOnly: Object.fromEntries(only) };
}

function explained(candidate: Candidate): Detected<DependencySource> {
  const { source, why, isDevelopment, notUnderstood } = candidate;
  const file = source.files[0];
  const names = source.names.join(', ');
  const value = file ?? (names || 'none');
  const reason = why ?? (isDevelopment ? 'there is nothing else' : 'nearest to the app');
  const evidence = file ?? source.lines[0]?.evidence;
  const findings: Finding[] = [finding('dependencies', value, reason, evidence)];
  for (const one of notUnderstood ?? []) {
    findings.push(finding('dependencies', one, 'has no counterpart here, so it is left out', file));
  }
  return detected(source, ...findings);
}
