// One dependency as Poetry and Pipenv describe it, a text or a table, as a line that pip understands.
import { isTable } from '../tandem-toml.ts';
import { pythonMarker } from './poetry-constraint.ts';

export interface DescribedRequirement {
  readonly name: string;
  readonly extras: readonly string[];
  readonly optional: boolean;
  /** PEP 508, or `-e ./path`. */
  readonly text: string;
}

export interface Dialect {
  /** PEP 440 of its version text. */
  readonly specifier: (version: string) => string;
}

/** Several when the versions depend on the Python or the platform. */
export function describedRequirements(
  name: string,
  value: unknown,
  dialect: Dialect,
): DescribedRequirement[] {
  return [value].flat().flatMap((one: unknown) => {
    if (typeof one === 'string') return [described(name, { version: one }, dialect)];
    return isTable(one) ? [described(name, one, dialect)] : [];
  });
}

function described(
  name: string,
  table: Record<string, unknown>,
  dialect: Dialect,
): DescribedRequirement {
  const extras = texts(table['extras']);
  const marker = markerOf(table);
  const named = extras.length === 0 ? name : `${name}[${extras.join(',')}]`;
  const text = `${sourceText(named, table, dialect)}${marker === '' ? '' : ` ; ${marker}`}`;
  return { name, extras, optional: table['optional'] === true, text };
}

function sourceText(named: string, table: Record<string, unknown>, dialect: Dialect): string {
  const text = (key: string): string | undefined =>
    typeof table[key] === 'string' ? table[key] : undefined;
  const git = text('git');
  if (git !== undefined) return `${named} @ ${gitUrl(git, text)}`;
  const path = text('path');
  if (path !== undefined) return `-e ${path.startsWith('.') ? path : `./${path}`}`;
  const url = text('url') ?? text('file');
  if (url !== undefined) return `${named} @ ${url}`;
  return `${named}${dialect.specifier(text('version') ?? '*')}`;
}

function gitUrl(url: string, text: (key: string) => string | undefined): string {
  const short = /^git@([^:]+):(.+)$/.exec(url);
  const full = short === null ? url : `ssh://git@${short[1]}/${short[2]}`;
  const reference = text('rev') ?? text('ref') ?? text('tag') ?? text('branch');
  const part = text('subdirectory');
  const prefix = full.startsWith('git+') ? '' : 'git+';
  return `${prefix}${full}${reference ? `@${reference}` : ''}${part ? `#subdirectory=${part}` : ''}`;
}

/** Pipenv writes the variable of a marker as a key: `sys_platform = "== 'linux'"`. */
const VARIABLES = ['sys_platform', 'os_name', 'platform_machine', 'python_version'];

function markerOf(table: Record<string, unknown>): string {
  const { markers, python, platform } = table;
  const parts = [
    typeof markers === 'string' ? `(${markers})` : '',
    typeof python === 'string' ? pythonMarker(python) : '',
    typeof platform === 'string' ? `sys_platform == "${platform}"` : '',
    ...VARIABLES.map((name) => (typeof table[name] === 'string' ? `${name} ${table[name]}` : '')),
  ];
  const given = parts.filter((part) => part !== '');
  return given.length === 1 ? (given[0] ?? '').replace(/^\((.*)\)$/, '$1') : given.join(' and ');
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
