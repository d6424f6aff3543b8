// One compose file: its services as the project wrote them, with lines. Anchors, merges and `extends`
// are followed; what a person has to fill in stays unknown. Malformed files give nothing but a reason.
import { dirname, posix } from 'node:path';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from 'yaml';
import type { SourceTree } from '../source-tree.ts';
import { interpolate } from './interpolation.ts';

/** A command of a container: as a text for a shell, whatever form it was written in. */
export interface ContainerCommand {
  readonly text: string;
  /** `file:line` */
  readonly evidence: string;
}

export interface ContainerValue {
  readonly name: string;
  readonly value: string;
  /** Nothing of it comes from outside of the file. */
  readonly isFixed: boolean;
  /** `file:line` */
  readonly evidence: string;
}

export interface ComposeService {
  readonly name: string;
  readonly evidence: string;
  /** Paths relative to the top of the source. */
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly image?: string;
  readonly command?: ContainerCommand;
  readonly entrypoint?: ContainerCommand;
  readonly environment: readonly ContainerValue[];
  /** Relative to the top of the source. */
  readonly envFiles: readonly string[];
  /** Names of its directory inside, when another than the image's. */
  readonly workingDirectory?: string;
  readonly restarts: boolean;
  readonly hasPorts: boolean;
  /** Not started unless it is asked for. */
  readonly hasProfiles: boolean;
}

export interface ComposeFile {
  readonly path: string;
  readonly services: readonly ComposeService[];
  /** `file:line` and what is wrong with it. */
  readonly problem?: { readonly evidence: string; readonly what: string };
}

interface Parsed {
  readonly path: string;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly anchors: ReadonlyMap<string, unknown>;
}

/** A node and the file it is written in. */
interface Place {
  readonly node: unknown;
  readonly parsed: Parsed;
}
type Fields = ReadonlyMap<string, readonly Place[]>;

const CHARACTERS_MAX = 256 * 1024;
const BRACKETS_MAX = 100;
const NODES_MAX = 20_000;
const DEPTH_MAX = 8;
const SERVICES_MAX = 100;
/** Of a service that extends another: both count. */
const ADDED = new Set(['environment', 'env_file']);

/** Undefined when it is not a compose file at all. */
export function readComposeFile(tree: SourceTree, path: string): ComposeFile | undefined {
  return new ComposeReader(tree).read(path);
}

class ComposeReader {
  readonly #tree: SourceTree;
  #nodesLeft = NODES_MAX;

  constructor(tree: SourceTree) {
    this.#tree = tree;
  }

  read(path: string): ComposeFile | undefined {
    const text = this.#tree.read(path);
    if (text === undefined || text.length > CHARACTERS_MAX || !/^["']?services\b/m.test(text))
      return undefined;
    const parsed = parse(path, text);
    if ('what' in parsed) return { path, services: [], problem: parsed };
    const services = this.#services(parsed);
    return {
      path,
      services: [...services].slice(0, SERVICES_MAX).map((one) => this.#service(...one)),
    };
  }

  #services(parsed: Parsed): ReadonlyMap<string, Place> {
    const top = this.#entries({ node: parsed.document.contents, parsed });
    const services = top.get('services');
    return services === undefined ? new Map<string, Place>() : this.#entries(services);
  }

  #service(name: string, place: Place): ComposeService {
    const fields = this.#fields(place, 0);
    const text = (key: string): string | undefined => this.#text(fields.get(key)?.at(-1));
    const build = this.#build(fields.get('build')?.at(-1));
    const command = this.#command(fields.get('command')?.at(-1));
    const entrypoint = this.#command(fields.get('entrypoint')?.at(-1));
    const image = text('image');
    const workingDirectory = text('working_dir');
    const restart = text('restart') ?? '';
    return {
      name,
      evidence: evidenceOf(place),
      ...(build ? { build } : {}),
      ...(image === undefined ? {} : { image }),
      ...(command ? { command } : {}),
      ...(entrypoint ? { entrypoint } : {}),
      environment: (fields.get('environment') ?? []).flatMap((one) => this.#values(one)),
      envFiles: (fields.get('env_file') ?? []).flatMap((one) => this.#envFiles(one)),
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      restarts: /^(always|unless-stopped|on-failure)/.test(restart) || fields.has('deploy'),
      hasPorts: this.#items(fields.get('ports')?.at(-1)).length > 0,
      hasProfiles: this.#items(fields.get('profiles')?.at(-1)).length > 0,
    };
  }

  /** With those of the service that it extends. */
  #fields(place: Place, depth: number): Fields {
    const own = this.#entries(place);
    const base = depth < DEPTH_MAX ? this.#extended(own.get('extends')) : undefined;
    const fields = new Map<string, readonly Place[]>(
      base === undefined ? [] : this.#fields(base, depth + 1),
    );
    for (const [key, one] of own) {
      fields.set(key, ADDED.has(key) ? [...(fields.get(key) ?? []), one] : [one]);
    }
    return fields;
  }

  #extended(place: Place | undefined): Place | undefined {
    if (place === undefined) return undefined;
    const plain = this.#text(place);
    const entries = this.#entries(place);
    const name = plain ?? this.#text(entries.get('service'));
    const file = this.#text(entries.get('file'));
    const parsed = file === undefined ? place.parsed : this.#other(place.parsed, file);
    return name === undefined || parsed === undefined
      ? undefined
      : this.#services(parsed).get(name);
  }

  #other({ path }: Parsed, file: string): Parsed | undefined {
    const other = inside(dirname(path), file);
    const text = other === undefined ? undefined : this.#tree.read(other);
    if (other === undefined || text === undefined || text.length > CHARACTERS_MAX) return undefined;
    const parsed = parse(other, text);
    return 'what' in parsed ? undefined : parsed;
  }

  #build(place: Place | undefined): ComposeService['build'] {
    if (place === undefined) return undefined;
    const directory = dirname(place.parsed.path);
    const entries = this.#entries(place);
    const context = inside(
      directory,
      this.#text(place) ?? this.#text(entries.get('context')) ?? '.',
    );
    if (context === undefined) return undefined;
    const dockerfile = inside(context, this.#text(entries.get('dockerfile')) ?? 'Dockerfile');
    return dockerfile === undefined ? undefined : { context, dockerfile };
  }

  /** A list is what is executed, a text is split as by a shell. */
  #command(place: Place | undefined): ContainerCommand | undefined {
    if (place === undefined) return undefined;
    const words = this.#items(place).map((one) => this.#text(one) ?? '');
    const text = words.length > 0 ? shellText(words) : this.#text(place);
    return text === undefined || text === '' ? undefined : { text, evidence: evidenceOf(place) };
  }

  /** `NAME: value` or `- NAME=value`; a name without a value is taken from outside. */
  #values(place: Place): ContainerValue[] {
    const listed = this.#items(place).flatMap((one) => {
      const [, name, value] =
        /^([A-Za-z_]\w*)=([^]*)$/.exec(raw(this.#resolved(one).node) ?? '') ?? [];
      return name === undefined || value === undefined ? [] : [valueOf(name, value, one)];
    });
    const mapped = [...this.#entries(place)].flatMap(([name, one]) => {
      const value = raw(this.#resolved(one).node);
      return value === undefined ? [] : [valueOf(name, value, one)];
    });
    return [...listed, ...mapped];
  }

  #envFiles(place: Place): string[] {
    const items = this.#items(place);
    return (items.length > 0 ? items : [place]).flatMap((one) => {
      const file = this.#text(one) ?? this.#text(this.#entries(one).get('path'));
      const path = file === undefined ? undefined : inside(dirname(one.parsed.path), file);
      return path === undefined ? [] : [path];
    });
  }

  /** Keys of a mapping; those of `<<` where it has none of its own. */
  #entries(place: Place, depth = 0): Map<string, Place> {
    const { node, parsed } = this.#resolved(place);
    const entries = new Map<string, Place>();
    if (!isMap(node) || depth > DEPTH_MAX) return entries;
    const merged: Place[] = [];
    for (const { key, value } of node.items) {
      this.#nodesLeft -= 1;
      if (this.#nodesLeft < 0) return entries;
      const name = raw(key);
      if (name === undefined) continue;
      // The line of the key: a mapping begins on the next.
      if (name === '<<') merged.push(...this.#sources({ node: value, parsed }));
      else entries.set(name, { node: value ?? key, parsed });
    }
    for (const source of merged) {
      for (const [name, one] of this.#entries(source, depth + 1)) {
        if (!entries.has(name)) entries.set(name, one);
      }
    }
    return entries;
  }

  #sources(place: Place): Place[] {
    const items = this.#items(place);
    return items.length > 0 ? items : [place];
  }

  #items(place: Place | undefined): Place[] {
    if (place === undefined) return [];
    const { node, parsed } = this.#resolved(place);
    if (!isSeq(node)) return [];
    this.#nodesLeft -= node.items.length;
    return this.#nodesLeft < 0 ? [] : node.items.map((item) => ({ node: item, parsed }));
  }

  #text(place: Place | undefined): string | undefined {
    if (place === undefined) return undefined;
    const value = raw(this.#resolved(place).node);
    return value === undefined ? undefined : interpolate(value).text.trim();
  }

  #resolved({ node, parsed }: Place): Place {
    let at = node;
    for (let depth = 0; isAlias(at) && depth < DEPTH_MAX; depth += 1) {
      this.#nodesLeft -= 1;
      at = this.#nodesLeft < 0 ? undefined : parsed.anchors.get(at.source);
    }
    return { node: at, parsed };
  }
}

function parse(path: string, text: string): Parsed | NonNullable<ComposeFile['problem']> {
  const lines = new LineCounter();
  if (isNestedDeeply(text)) return { evidence: path, what: 'it is nested too deeply' };
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
    });
    const [error] = document.errors;
    if (error === undefined) return { path, document, lines, anchors: anchorsOf(document) };
    const { line } = lines.linePos(error.pos[0]);
    return { evidence: `${path}:${line}`, what: error.message.split('\n')[0] ?? '' };
  } catch (error) {
    // Deeper than the parser's stack, by dashes.
    if (!(error instanceof RangeError)) throw error;
    return { evidence: path, what: 'it is nested too deeply' };
  }
}

/** The parser takes a second for what nobody writes. */
function isNestedDeeply(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1;
    if (depth > BRACKETS_MAX) return true;
  }
  return false;
}

function anchorsOf(document: Document): ReadonlyMap<string, unknown> {
  const anchors = new Map<string, unknown>();
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return anchors;
}

function evidenceOf({ node, parsed }: Place): string {
  const range = hasRange(node) ? node.range : undefined;
  return range ? `${parsed.path}:${parsed.lines.linePos(range[0]).line}` : parsed.path;
}

function hasRange(
  node: unknown,
): node is { range?: readonly number[] | null } & { range: [number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

/** As written: `1.10` is not the number 1.1. Null is no text. */
function raw(node: unknown): string | undefined {
  if (!isScalar<unknown>(node)) return undefined;
  const { value, type, source } = node;
  if (type === 'PLAIN' && source !== undefined) return value === null ? undefined : source;
  return typeof value === 'string' ? value : undefined;
}

function valueOf(name: string, value: string, place: Place): ContainerValue {
  const { text, isFixed } = interpolate(value);
  return { name, value: text, isFixed, evidence: evidenceOf(place) };
}

/** Undefined when it is not a place in the source. */
function inside(directory: string, path: string): string | undefined {
  if (/^[/~$]|^\w+:/.test(path) || path.includes('$')) return undefined;
  const joined = posix.normalize(posix.join(directory, path)).replace(/\/$/, '');
  if (joined === '..' || joined.startsWith('../')) return undefined;
  return joined === '.' ? '' : joined;
}

/** Words as a shell would read them. */
export function shellText(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./$-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
