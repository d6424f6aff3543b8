// Fields of pydantic settings classes: each is read from a variable of its name.
import type { EnvironmentRead } from './environment-reads.ts';
import { logicalLines } from './python-source.ts';
import type { SourceTree } from './source-tree.ts';

const CLASS = /^class (\w+)\(([^)]*)\)\s*:/;
const FIELD = /^([A-Za-z]\w*)\s*:\s*([^=]+?)(?:\s*=\s*(.+))?$/;

export function settingsFields(tree: SourceTree, files: readonly string[]): EnvironmentRead[] {
  const texts = files.flatMap((file) => {
    const text = tree.read(file) ?? '';
    return text.includes('Settings') ? [{ file, lines: logicalLines(text) }] : [];
  });
  const bases = new Set(['BaseSettings']);
  const reads: EnvironmentRead[] = [];
  // A subclass may stand in a file before that of its base.
  for (const { file, lines } of [...texts, ...texts]) {
    for (const [index, line] of lines.entries()) {
      const [, name = '', parents = ''] = CLASS.exec(line.code) ?? [];
      if (!parents.split(',').some((one) => bases.has(one.trim().split('.').at(-1) ?? '')))
        continue;
      if (bases.has(name)) continue;
      bases.add(name);
      const body = bodyOf(lines.slice(index + 1), line.indent);
      const prefix = body.map(({ text }) => prefixIn(text)).find((one) => one !== undefined) ?? '';
      reads.push(...body.flatMap((field) => readOf(field, file, prefix)));
    }
  }
  return reads;
}

type Line = ReturnType<typeof logicalLines>[number];

function bodyOf(lines: readonly Line[], indent: number): Line[] {
  const end = lines.findIndex((line) => line.indent <= indent);
  const body = end < 0 ? lines : lines.slice(0, end);
  // Class Config of pydantic 1 lies one deeper, with the prefix; methods do too.
  return [...body];
}

function prefixIn(text: string): string | undefined {
  return /\benv_prefix\s*=\s*["'](\w*)["']/.exec(text)?.[1];
}

function readOf(line: Line, file: string, prefix: string): EnvironmentRead[] {
  const [, field, type = '', value] = FIELD.exec(line.text) ?? [];
  if (field === undefined || field === 'model_config' || /\bClassVar\b/.test(type)) return [];
  if (/^(def|class|return|if|for|async|else|try|lambda)\b/.test(line.code)) return [];
  const alias = /\b(?:env|alias|validation_alias)\s*=\s*["'](\w+)["']/.exec(value ?? '')?.[1];
  const bare = value === undefined || /^Field\(\s*(\.\.\.|[a-z_]+\s*=)/.test(value);
  const isDefaulted =
    /\bdefault(_factory)?\s*=/.test(value ?? '') || /\bOptional\b|\bNone\b/.test(type);
  return [
    {
      name: alias ?? `${prefix}${field}`.toUpperCase(),
      required: bare && !isDefaulted,
      bare: bare && !isDefaulted,
      evidence: `${file}:${line.line}`,
      target: field.toUpperCase(),
      setting: field.toUpperCase(),
      path: [],
      cast: type.trim().toLowerCase(),
    },
  ];
}
