// Which tasks the files of gulp or Grunt define, and all the code that one of them reaches. By the
// usual ways to write them; what is written in another way defines nothing. Pure.
import { escapeRegexp } from '../../lib/escape-regexp.ts';
import { dirname, normalize } from 'node:path/posix';
import { hasFile, under, type SourceTree } from '../detect/source-tree.ts';

export interface TaskGraph {
  has(task: string): boolean;
  /** Text of the task and of what it refers to, as far as that is the project's own. */
  reachedBy(task: string): string;
  readonly texts: readonly string[];
}

const DEPTH_MAX = 6;
const REACH_MAX = 500;
const IMPORT =
  /(?:const|let|var|import)\s+(\w+|\{[^}]*\}|\*\s+as\s+\w+)\s*(?:=\s*require\(|\s*from\s*)\s*["']([^"']+)["']\)?;?/g;
const QUOTED_OR_NAME = /["'`]([\w:.-]+)["'`]|[A-Za-z_$][\w$]*/g;

interface SourceFile {
  readonly path: string;
  /** Without comments and imports. */
  readonly text: string;
  /** Imported name -> file of the project. */
  readonly imports: ReadonlyMap<string, string>;
}

export function taskGraph(tree: SourceTree, entries: readonly string[]): TaskGraph {
  const files = new Map<string, SourceFile>();
  for (const entry of entries) readFile(tree, entry, files, 0);
  const own = entries.flatMap((entry) => files.get(entry) ?? []);
  const find = (task: string) =>
    own.flatMap((file) => {
      const text = taskIn(file.text, task);
      return text === undefined ? [] : [{ file, text }];
    })[0];
  return {
    has: (task) => find(task) !== undefined,
    reachedBy: (task) => reach(files, find, task),
    texts: [...files.values()].map(({ text }) => text),
  };
}

function reach(
  files: ReadonlyMap<string, SourceFile>,
  find: (task: string) => { file: SourceFile; text: string } | undefined,
  task: string,
): string {
  const first = find(task);
  const queue = first === undefined ? [] : [first];
  const seen = new Set(queue.map(({ text }) => text));
  const add = (file: SourceFile | undefined, text: string | undefined): void => {
    if (file === undefined || text === undefined || seen.has(text)) return;
    if (seen.size >= REACH_MAX) return;
    seen.add(text);
    queue.push({ file, text });
  };
  for (const { file, text } of queue) {
    for (const [whole, quoted] of text.matchAll(QUOTED_OR_NAME)) {
      if (quoted !== undefined) {
        const other = find(quoted);
        add(other?.file, other?.text);
        continue;
      }
      const imported = files.get(file.imports.get(whole) ?? '');
      add(imported, imported?.text);
      add(file, localIn(file.text, whole));
    }
  }
  return [...seen].join('\n');
}

function readFile(
  tree: SourceTree,
  path: string,
  files: Map<string, SourceFile>,
  depth: number,
): void {
  const source = tree.read(path);
  if (source === undefined || files.has(path) || depth > DEPTH_MAX) return;
  const text = source.replace(/\/\*[\s\S]*?\*\/|(^|[^:"'`])\/\/.*$/gm, '$1');
  const imports = new Map<string, string>();
  for (const [, names = '', from = ''] of text.matchAll(IMPORT)) {
    const file = from.startsWith('.') ? fileAt(tree, path, from) : undefined;
    if (file === undefined) continue;
    for (const name of names.match(/[A-Za-z_$][\w$]*/g) ?? []) imports.set(name, file);
  }
  files.set(path, { path, text: text.replace(IMPORT, ''), imports });
  for (const file of imports.values()) readFile(tree, file, files, depth + 1);
}

function fileAt(tree: SourceTree, path: string, from: string): string | undefined {
  const target = normalize(under(dirname(path), from)).replace(/\/$/, '');
  const names = ['', '.js', '.mjs', '.cjs', '.ts', '/index.js'].map((end) => `${target}${end}`);
  return names.find((name) => hasFile(tree, name));
}

/** Its definition, wherever it begins. */
function taskIn(text: string, task: string): string | undefined {
  const name = escapeRegexp(task);
  const registered = new RegExp(`\\b(?:task|registerTask)\\(\\s*["'\`]${name}["'\`]`).exec(text);
  if (registered) return expressionAt(text, registered.index + registered[0].indexOf('('));
  if (!/^\w+$/.test(task)) return undefined;
  const assigned = new RegExp(`\\bexports(?:\\.${name}|\\[["']${name}["']\\])\\s*=\\s*`).exec(text);
  if (assigned) return expressionAt(text, assigned.index + assigned[0].length);
  if (task === 'default') {
    const start = /\bexport\s+default\s+/.exec(text);
    if (start) return expressionAt(text, start.index + start[0].length);
  }
  if (
    new RegExp(`\\bexport\\s+(?:async\\s+)?(?:const|let|var|function)\\s+${name}\\b`).test(text)
  ) {
    return localIn(text, task);
  }
  return inExportList(text, name);
}

/** `export { a, b as c }`, `module.exports = { a, c: b }`. */
function inExportList(text: string, name: string): string | undefined {
  const list = /(?:\bexport\s*|\bmodule\.exports\s*=\s*)\{([^}]*)\}/.exec(text)?.[1];
  if (list === undefined) return undefined;
  const renamed = new RegExp(`(\\w+)\\s+as\\s+${name}\\b|\\b${name}\\s*:\\s*([^,]+)`).exec(list);
  if (renamed) return renamed[1] ?? renamed[2];
  return new RegExp(`(^|,)\\s*${name}\\s*(,|$)`).test(list) ? name : undefined;
}

function localIn(text: string, name: string): string | undefined {
  const pattern = `\\b(?:const|let|var|function)\\s+${escapeRegexp(name)}\\b\\s*(?:=\\s*)?`;
  const found = new RegExp(pattern).exec(text);
  return found === null ? undefined : expressionAt(text, found.index + found[0].length);
}

/** Up to the end of the statement: a semicolon or a line end outside of all brackets. */
function expressionAt(text: string, start: number): string {
  let depth = 0;
  let at = start;
  for (; at < text.length; at += 1) {
    const one = text[at] ?? '';
    if ('([{'.includes(one)) depth += 1;
    else if (')]}'.includes(one)) depth -= 1;
    if (depth < 0 || (depth === 0 && one === ';')) break;
    if (depth === 0 && one === '\n' && !/^\s*[.{=]/.test(text.slice(at, at + 40))) break;
  }
  return text.slice(start, at);
}
