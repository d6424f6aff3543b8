// A requirements file with all that it includes, as written: for evidence, for the names that a
// project depends on, and for the key of its lock. The resolver does the real parsing.
import { dirname, join } from 'node:path/posix';
import { TandemError } from '@tandem/protocol';
import type { SourceTree } from './source-tree.ts';

export interface RequirementLine {
  /** Normalised (PEP 503); absent for URLs and paths without a name. */
  readonly name?: string;
  readonly text: string;
  /** `file:line` */
  readonly evidence: string;
}

export interface RequirementsFile {
  readonly path: string;
  /** All files read, the first included. */
  readonly files: readonly string[];
  readonly lines: readonly RequirementLine[];
  /** Of files that only limit versions. */
  readonly constraints: readonly RequirementLine[];
  /** A path of the source is installed: `-e .`, `./package`. */
  readonly namesPaths: boolean;
}

const INCLUDE = /^(?:-r\s*|--requirement[\s=]+|-c\s*|--constraint[\s=]+)(\S+)/;
const CONSTRAINT = /^(?:-c|--constraint)/;
const EDITABLE = /^(?:-e|--editable)[\s=]+/;
const FILES_MAX = 100;

export function readRequirements(tree: SourceTree, path: string): RequirementsFile {
  const files: string[] = [];
  const lines: RequirementLine[] = [];
  const constraints: RequirementLine[] = [];
  const pending = [{ path, from: undefined as string | undefined, into: lines }];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (files.includes(next.path) || files.length >= FILES_MAX) continue;
    files.push(next.path);
    for (const line of linesOf(tree, next.path, next.from)) {
      const included = INCLUDE.exec(line.text)?.[1];
      if (included === undefined) next.into.push(line);
      else if (!/^https?:/.test(included)) {
        pending.push({
          path: resolvePath(next.path, included, line.evidence),
          from: line.evidence,
          into: CONSTRAINT.test(line.text) ? constraints : next.into,
        });
      }
    }
  }
  const namesPaths = lines.some((line) => isPath(line.text.replace(EDITABLE, '')));
  return { path, files, lines, constraints, namesPaths };
}

/** PEP 503: `Foo._Bar` and `foo-bar` are one package. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

export function requirementName(text: string): string | undefined {
  const name = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[|[<>=!~;@\s]|$)/.exec(text)?.[1];
  return name === undefined ? undefined : normalizeName(name);
}

/** `name[a, b]>=1` -> a, b */
export function extrasIn(text: string): string[] {
  const extras = /^[\w.-]+\s*\[([^\]]*)\]/.exec(text)?.[1] ?? '';
  return extras.split(',').flatMap((one) => one.trim() || []);
}

/** What stands behind the semicolon. */
export function markerIn(text: string): string | undefined {
  return /;\s*(.*?)\s*(?:--hash.*)?$/.exec(text)?.[1];
}

function linesOf(tree: SourceTree, path: string, from: string | undefined): RequirementLine[] {
  const text = tree.read(path);
  if (text === undefined) {
    throw new TandemError(
      'REQUIREMENTS_INVALID',
      `${from ?? path} names "${path}", which is missing.`,
      {
        where: from ?? path,
        hint: `add ${path} to the source, or remove the line`,
      },
    );
  }
  const lines: RequirementLine[] = [];
  let continued: { text: string; line: number } | undefined;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const content = (continued?.text ?? '') + raw.replace(/(^|\s)#.*$/, '').trim();
    const line = continued?.line ?? index + 1;
    continued = content.endsWith('\\') ? { text: `${content.slice(0, -1)} `, line } : undefined;
    if (continued !== undefined || content === '') continue;
    const name = requirementName(content);
    lines.push({
      text: content,
      evidence: `${path}:${line}`,
      ...(name === undefined ? {} : { name }),
    });
  }
  return lines;
}

function resolvePath(from: string, included: string, evidence: string): string {
  const path = join(dirname(from), included);
  if (!path.startsWith('..') && !included.startsWith('/')) return path;
  throw new TandemError('REQUIREMENTS_INVALID', `${evidence} includes a file outside the source.`, {
    where: evidence,
  });
}

function isPath(text: string): boolean {
  return /^(\.|\/|file:)/.test(text) || /@\s*file:/.test(text);
}
