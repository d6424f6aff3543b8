// Pipenv: Pipfile is resolved as the requirements it means, Pipfile.lock read as it stands. Only
// [packages] and categories named for production.
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { under, type SourceTree } from '../source-tree.ts';
import { isTable, parseToml } from '../tandem-toml.ts';
import { linesFrom, sourceOf, type Candidate } from './dependency-source.ts';
import { describedRequirements } from './described-requirement.ts';
import { isForProduction } from './production-names.ts';
import { tableIn } from './pyproject-requirements.ts';

const NOT_PACKAGES = ['source', 'requires', 'scripts', 'pipenv', 'dev-packages', 'packages'];

export function pipfileIn(tree: SourceTree, directory: string): Candidate | undefined {
  const path = under(directory, 'Pipfile');
  const text = tree.read(path);
  if (text === undefined) return undefined;
  const table = parseToml(text, path, 'REQUIREMENTS_INVALID');
  const categories = Object.keys(table).filter(
    (name) => !NOT_PACKAGES.includes(name) && isForProduction(name),
  );
  const requirements = ['packages', ...categories]
    .flatMap((name) => Object.entries(tableIn(table, name) ?? {}))
    .flatMap(([name, value]) =>
      describedRequirements(name, value, { specifier: specifierOfPipenv }),
    )
    .map((one) => one.text);
  const lines = linesFrom(text, path, requirements);
  const source = sourceOf('requirements', {
    directory,
    files: [path],
    lines,
    requirements: [...indexLines(table), ...requirements, ''].join('\n'),
    namesPaths: requirements.some((one) => one.startsWith('-e ')),
  });
  return { source, isEmpty: requirements.length === 0 };
}

function specifierOfPipenv(version: string): string {
  const trimmed = version.trim();
  if (trimmed === '*' || trimmed === '') return '';
  return /^\d/.test(trimmed) ? `==${trimmed}` : trimmed;
}

/** The first index is the default one, as Pipenv has it. */
function indexLines(pipfile: Record<string, unknown>): string[] {
  const sources = Array.isArray(pipfile['source']) ? pipfile['source'] : [];
  return sources.flatMap((one: unknown, index) =>
    isTable(one) && typeof one['url'] === 'string'
      ? [`${index === 0 ? '--index-url' : '--extra-index-url'} ${one['url']}`]
      : [],
  );
}

const Locked = v.object({
  version: v.optional(v.string()),
  hashes: v.optional(v.array(v.string()), []),
  markers: v.optional(v.string()),
  extras: v.optional(v.array(v.string()), []),
  index: v.optional(v.string()),
  git: v.optional(v.string()),
  ref: v.optional(v.string()),
  subdirectory: v.optional(v.string()),
  file: v.optional(v.string()),
  path: v.optional(v.string()),
});
const PipfileLock = v.object({
  _meta: v.optional(
    v.object({
      sources: v.optional(v.array(v.object({ name: v.optional(v.string()), url: v.string() })), []),
    }),
    { sources: [] },
  ),
  default: v.optional(v.record(v.string(), Locked), {}),
});

export type LockedByPipenv = v.InferOutput<typeof Locked>;

export function parsePipfileLock(text: string, path: string): Record<string, LockedByPipenv> {
  return parsed(text, path).default;
}

/** As requirements with hashes. */
export function requirementsOfPipfileLock(text: string, path: string): string {
  const lock = parsed(text, path);
  const indexes = lock._meta.sources.map(
    ({ url }, at) => `${at === 0 ? '--index-url' : '--extra-index-url'} ${url}\n`,
  );
  const packages = Object.entries(lock.default).map(([name, one]) => lineOf(name, one));
  return [...indexes, ...packages].join('');
}

function lineOf(name: string, one: LockedByPipenv): string {
  const isRemote = one.git !== undefined || one.file !== undefined || one.path !== undefined;
  const [described] = describedRequirements(name, one, { specifier: specifierOfPipenv });
  const hashes = isRemote ? [] : one.hashes.map((hash) => ` --hash=${hash}`);
  return `${described?.text ?? name}${hashes.join('')}\n`;
}

function parsed(text: string, path: string): v.InferOutput<typeof PipfileLock> {
  try {
    const result = v.safeParse(PipfileLock, JSON.parse(text));
    if (result.success) return result.output;
    throw invalid(path, v.getDotPath(result.issues[0]) ?? 'it');
  } catch (error) {
    throw error instanceof SyntaxError ? invalid(path, error.message) : error;
  }
}

function invalid(path: string, what: string): TandemError {
  return new TandemError('REQUIREMENTS_INVALID', `${path} is not as expected: ${what}.`, {
    where: path,
    hint: 'make it again: pipenv lock',
  });
}
