// What a pyproject.toml asks for in production, in PEP 621, PEP 735 and Poetry's own tables.
import { TandemError } from '@tandem/protocol';
import { extrasIn, normalizeName, requirementName } from '../requirements-file.ts';
import { isTable } from '../tandem-toml.ts';
import { describedRequirements, type DescribedRequirement } from './described-requirement.ts';
import { specifierOfPoetry } from './poetry-constraint.ts';
import { classify, isForProduction, type NameClass } from './production-names.ts';

export interface PyprojectRequirements {
  /** Without the project's own extras and groups that are not for production. */
  readonly requirements: readonly DescribedRequirement[];
  /** Chosen, by their names in the file. */
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  /** Whether the dependencies stand in `[project]`, where the resolver finds them itself. */
  readonly isStandard: boolean;
  /** Dependencies that only the build backend knows. */
  readonly isDynamic: boolean;
}

type Table = Record<string, unknown>;

/**
 * Undefined when it lists no dependencies at all, but only configures tools. `wished`: groups and extras
 * that the user names.
 */
export function pyprojectRequirements(
  pyproject: Table,
  wished: readonly string[],
): PyprojectRequirements | undefined {
  const isChosen = (name: string): boolean => isForProduction(name, wished);
  const project = tableIn(pyproject, 'project');
  const poetry = tableIn(tableIn(pyproject, 'tool'), 'poetry');
  const groups = productionGroups(pyproject, isChosen);
  const plain = plainList(pyproject);
  const isNothing = groups.length === 0 && plain.length === 0;
  if (project === undefined && poetry === undefined && isNothing) return undefined;
  const extras = Object.keys(tableIn(project, 'optional-dependencies') ?? {}).filter(isChosen);
  const poetryExtras = Object.keys(tableIn(poetry, 'extras') ?? {}).filter(isChosen);
  const isStandard =
    plain.length === 0 && project !== undefined && Array.isArray(project['dependencies']);
  return {
    requirements: [
      ...listed(project?.['dependencies'] ?? []),
      ...extras.flatMap((name) => listed(tableIn(project, 'optional-dependencies')?.[name])),
      ...groups.flatMap((name) => groupMembers(pyproject, name, new Set())),
      ...ofPoetry(poetry, poetryExtras, { isStandard, wished }),
      ...plain,
    ],
    extras: isStandard ? extras : [...extras, ...poetryExtras],
    groups,
    isStandard:
      project !== undefined && plain.length === 0 && !(poetry !== undefined && !isStandard),
    isDynamic: texts(project?.['dynamic']).includes('dependencies') && poetry === undefined,
  };
}

/** Where the project lists nothing itself: the environment of Hatch, the table of an older PDM. */
function plainList(pyproject: Table): DescribedRequirement[] {
  const own = tableIn(pyproject, 'project');
  if (texts(own?.['dependencies']).length > 0 || texts(own?.['dynamic']).length > 0) return [];
  const tool = tableIn(pyproject, 'tool');
  if (tableIn(tool, 'poetry') !== undefined) return [];
  const hatch = tableIn(tableIn(tableIn(tool, 'hatch'), 'envs'), 'default');
  return [tableIn(tool, 'pdm'), hatch].flatMap((table) => listed(texts(table?.['dependencies'])));
}

/** PEP 735 groups for production, and those that uv installs by default and are not for developers. */
function productionGroups(pyproject: Table, isChosen: (name: string) => boolean): string[] {
  const uv = tableIn(tableIn(pyproject, 'tool'), 'uv');
  const byDefault = texts(uv?.['default-groups']);
  const names = Object.keys(tableIn(pyproject, 'dependency-groups') ?? {});
  const chosen = names.filter(
    (name) => isChosen(name) || (byDefault.includes(name) && classify(name) !== 'development'),
  );
  const hasOwn = pyproject['project'] !== undefined || tableIn(pyproject, 'tool')?.['poetry'];
  return hasOwn ? chosen : [...new Set([...chosen, ...groupsAlone(names, chosen)])];
}

/** Without a project they are all there is: the general ones, else what is not for developers. */
function groupsAlone(names: readonly string[], chosen: readonly string[]): string[] {
  const of = (wanted: NameClass): string[] => names.filter((name) => classify(name) === wanted);
  const general = of('base');
  return general.length > 0 || chosen.length > 0 ? general : of('other');
}

function groupMembers(pyproject: Table, name: string, seen: Set<string>): DescribedRequirement[] {
  const group = tableIn(pyproject, 'dependency-groups')?.[name];
  if (seen.has(name) || !Array.isArray(group)) return [];
  seen.add(name);
  return group.flatMap((one: unknown) => {
    if (typeof one === 'string') return listed([one]);
    const included = isTable(one) ? one['include-group'] : undefined;
    return typeof included === 'string' ? groupMembers(pyproject, included, seen) : [];
  });
}

function ofPoetry(
  poetry: Table | undefined,
  extras: readonly string[],
  { isStandard, wished }: { readonly isStandard: boolean; readonly wished: readonly string[] },
): DescribedRequirement[] {
  if (poetry === undefined) return [];
  const asked = new Set(
    extras.flatMap((name) => texts(tableIn(poetry, 'extras')?.[name]).map(normalizeName)),
  );
  const main = isStandard ? [] : inTable(tableIn(poetry, 'dependencies'));
  const groups = Object.entries(tableIn(poetry, 'group') ?? {}).filter(([name, group]) =>
    isTable(group) && group['optional'] === true
      ? isForProduction(name, wished)
      : classify(name) !== 'development' || wished.includes(name),
  );
  return [
    ...main.filter((one) => !one.optional || asked.has(normalizeName(one.name))),
    ...groups.flatMap(([, group]) => inTable(tableIn(group, 'dependencies'))),
  ];
}

function inTable(table: Table | undefined): DescribedRequirement[] {
  return Object.entries(table ?? {})
    .filter(([name]) => name !== 'python')
    .flatMap(([name, value]) =>
      describedRequirements(name, value, { specifier: specifierOfPoetry }),
    );
}

function listed(list: unknown): DescribedRequirement[] {
  if (!Array.isArray(list)) throw invalidDependencies();
  return list.map((text: unknown) => {
    if (typeof text !== 'string') throw invalidDependencies();
    return { name: requirementName(text) ?? '', extras: extrasIn(text), optional: false, text };
  });
}

function invalidDependencies(): TandemError {
  const message = 'pyproject.toml: project.dependencies is not a list of strings.';
  return new TandemError('PYPROJECT_INVALID', message, {
    where: 'pyproject.toml',
    hint: 'dependencies = ["django>=5", "gunicorn"]',
  });
}

export function tableIn(value: unknown, key: string): Table | undefined {
  const inner = isTable(value) ? value[key] : undefined;
  return isTable(inner) ? inner : undefined;
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
