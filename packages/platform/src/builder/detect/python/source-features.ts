// The oldest Python that a line of source can run on, by what it writes and what it imports. Only what
// fails when the module is imported, and nothing that stands below a condition or a `try`.
import { logicalLines, type LogicalLine } from '../python-source.ts';
import { annotationsOf } from './runtime-annotations.ts';

export interface NeededPython {
  /** 10 for 3.10. */
  readonly minor: number;
  /** `a match statement` */
  readonly what: string;
  readonly line: number;
}

/** Modules that came with a version of Python; names of such modules that came later. */
const MODULES: Readonly<Record<string, number>> = {
  'importlib.metadata': 8,
  zoneinfo: 9,
  graphlib: 9,
  tomllib: 11,
  annotationlib: 14,
  'concurrent.interpreters': 14,
  'string.templatelib': 14,
  'compression.zstd': 14,
};
const NAMES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  asyncio: { to_thread: 9, TaskGroup: 11, Runner: 11, timeout: 11 },
  contextlib: { aclosing: 10, chdir: 11 },
  datetime: { UTC: 11 },
  enum: { StrEnum: 11, verify: 11, EnumType: 11, nonmember: 11, member: 11 },
  functools: { cached_property: 8, singledispatchmethod: 8, cache: 9 },
  http: { HTTPMethod: 11 },
  importlib: { metadata: 8 },
  itertools: { pairwise: 10, batched: 12 },
  math: { lcm: 9, cbrt: 11 },
  random: { randbytes: 9 },
  types: { EllipsisType: 10, NoneType: 10, UnionType: 10 },
  typing: {
    ...byVersion(8, 'Final Literal Protocol SupportsIndex TypedDict final runtime_checkable'),
    Annotated: 9,
    ...byVersion(10, 'Concatenate ParamSpec ParamSpecArgs ParamSpecKwargs TypeAlias TypeGuard'),
    ...byVersion(10, 'is_typeddict'),
    ...byVersion(11, 'LiteralString Never NotRequired Required Self TypeVarTuple Unpack'),
    ...byVersion(11, 'assert_never assert_type dataclass_transform reveal_type'),
    ...byVersion(12, 'TypeAliasType get_original_bases override'),
    ...byVersion(13, 'NoDefault ReadOnly TypeIs get_protocol_members is_protocol'),
  },
  warnings: { deprecated: 13 },
};
const SYNTAX: readonly [RegExp, number, string][] = [
  [/[\w)\]]\s*:=/, 8, 'an assignment within an expression'],
  [/^(?:async\s+)?def\s+\w+\s*\(.*[(,]\s*\/\s*[,)]/, 8, 'positional-only parameters'],
  [/^except\s*\*/, 11, 'except*'],
  [/^type\s+\w+\s*(\[[^=]*\])?\s*=/, 12, 'a type statement'],
  [/^(?:async\s+)?(?:def|class)\s+\w+\s*\[/, 12, 'type parameters'],
  // Not the `except Error, name` of Python 2.
  [/^except\s+[\w.]+(\s*,\s*(?:\w+\.)*[A-Z]\w*)+\s*:/, 14, 'except without brackets'],
  [
    /(?:^|[^\w.])(?:dataclass|dataclasses\.dataclass)\([^)]*\b(?:slots|kw_only)\s*=/,
    10,
    'slots or kw_only of a dataclass',
  ],
];
/** A file without any of these says nothing, and is not read line by line. */
const TELLING = new RegExp(
  [
    String.raw`^[ \t]*(?:match\b.*:|except\s*\*|except [\w.]+\s*,|type \w)`,
    String.raw`:=|,\s*\/\s*[,)]`,
    String.raw`\b(?:list|dict|tuple|set|frozenset|type)\[|[\w\]"'] \| \w`,
    String.raw`\b(?:def|class)\s+\w+\s*\[|\b(?:slots|kw_only)\s*=`,
    String.raw`^(?:from|import\b.*) (?:${Object.keys(MODULES).join('|').replaceAll('.', '\\.')})\b`,
    ...Object.entries(NAMES).map(
      ([module, names]) =>
        String.raw`^from ${module} import (?:\([^)]*|.*)\b(?:${Object.keys(names).join('|')})\b`,
    ),
  ].join('|'),
  'm',
);

/** The newest of all that `text` needs, when it is newer than `above`. */
export function neededPython(text: string, above: number): NeededPython | undefined {
  if (!TELLING.test(text)) return undefined;
  const lines = logicalLines(text);
  const postponed = lines.some(({ code }) =>
    /^from __future__ import .*\bannotations\b/.test(code),
  );
  let needed: NeededPython | undefined;
  for (const [index, line] of lines.entries()) {
    const found = ofLine(line, lines[index + 1], postponed);
    if (found !== undefined && found.minor > (needed?.minor ?? above)) {
      needed = { ...found, line: line.line };
    }
  }
  return needed;
}

interface Feature {
  readonly minor: number;
  readonly what: string;
}

/** The newest feature of the line. */
function ofLine(
  line: LogicalLine,
  next: LogicalLine | undefined,
  postponed: boolean,
): Feature | undefined {
  const { code, indent } = line;
  const syntax = SYNTAX.filter(([pattern]) => pattern.test(code));
  const found: (Feature | undefined)[] = syntax.map(([, minor, what]) => ({ minor, what }));
  if (/^match\s+[^=]+:$/.test(code) && /^case\s.*:/.test(next?.code ?? '')) {
    found.push({ minor: 10, what: 'a match statement' });
  }
  if (indent === 0 && /^(from|import)\s/.test(code)) found.push(ofImport(code));
  else if (!postponed) found.push(ofAnnotations(code, indent));
  const known = found.filter((one) => one !== undefined);
  return known.toSorted((one, other) => other.minor - one.minor)[0];
}

function ofImport(code: string): Feature | undefined {
  const [, from, names = ''] = /^from\s+([\w.]+)\s+import\s+(.*)$/.exec(code) ?? [];
  if (from === undefined) {
    const module = code.replace(/^import\s+/, '').split(/\s*,\s*|\s+as\s+/);
    const known = module.find((name) => MODULES[name] !== undefined);
    return known === undefined ? undefined : { minor: MODULES[known] ?? 0, what: known };
  }
  const own = MODULES[from];
  if (own !== undefined) return { minor: own, what: from };
  const since = NAMES[from] ?? {};
  const imported = names
    .replace(/[()]/g, ' ')
    .split(/\s*,\s*/)
    .map((name) => name.trim().split(/\s/)[0] ?? '');
  const later = imported.filter((name) => Object.hasOwn(since, name));
  const [newest] = later.toSorted((one, other) => (since[other] ?? 0) - (since[one] ?? 0));
  return newest === undefined
    ? undefined
    : { minor: since[newest] ?? 0, what: `${from}.${newest}` };
}

/** They are evaluated when the function or the class is defined. */
function ofAnnotations(code: string, indent: number): Feature | undefined {
  for (const annotation of annotationsOf(code, indent)) {
    if (/(?:^|[^|])\|(?!\|)/.test(annotation) && !/""|''/.test(annotation)) {
      return { minor: 10, what: `"${annotation.trim()}" as an annotation` };
    }
    const builtin = /(?<![\w.])(?:list|dict|tuple|set|frozenset|type)\[/.exec(annotation);
    if (builtin !== null) return { minor: 9, what: `"${annotation.trim()}" as an annotation` };
  }
  return undefined;
}

function byVersion(minor: number, names: string): Record<string, number> {
  return Object.fromEntries(names.split(' ').map((name) => [name, minor]));
}
