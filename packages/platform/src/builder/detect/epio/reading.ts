// What the sections of epio.ini add up to: the configuration they give, where each value stands, and
// what people are told. Each file of this folder reads one group of sections into it.
import type { Finding } from '../../../domain/release.ts';
import { finding } from '../evidence.ts';
import { followLinks, linkedTree, type Link } from '../linked-tree.ts';
import type { SourceTree } from '../source-tree.ts';
import type { Origins, TandemConfig } from '../tandem-toml.ts';
import type { VolumeCandidate } from '../volume-paths.ts';
import type { Section, Statement } from './ini-file.ts';
import { invalid, placeOf } from './invalid.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface SectionReader {
  /** Whether the section of this name is for this reader. */
  reads(name: string): boolean;
  read(section: Section, reading: EpioReading): void;
}

export class EpioReading {
  readonly config: Writable<TandemConfig> = {};
  readonly origins: Writable<Origins> = {};
  readonly findings: Finding[] = [];
  readonly links: Link[] = [];
  /** Where the directory for files is named first. */
  dataDirectory: string | undefined;
  /** Paths of the source that were links into that directory: each lies on the volume by itself. */
  readonly kept: VolumeCandidate[] = [];
  /** Where it says that there is no app, only files. */
  filesOnly: string | undefined;
  /** Directory of the Django project, where there is one. */
  djangoBase: string | undefined;
  #tree: SourceTree;
  readonly #keptAs = new Map<string, string>();

  constructor(tree: SourceTree) {
    this.#tree = tree;
  }

  /** The source with the links read so far. */
  get tree(): SourceTree {
    return this.#tree;
  }

  link(link: Link): void {
    this.links.push(link);
    this.#tree = linkedTree(this.#tree, [link]);
  }

  /** `inData` is relative to the directory for files. */
  keep(candidate: VolumeCandidate, inData: string): void {
    this.kept.push(candidate);
    this.#keptAs.set(inData, candidate.path);
  }

  /** Where a path of the directory for files lies when a link led to it; absolute. */
  linkToData(inData: string): string | undefined {
    return this.#keptAs.get(inData);
  }

  /** Relative to the top of the source, as is `path`: without a link on the way. */
  throughLinks(path: string): string {
    return followLinks(this.links, path);
  }

  set<K extends keyof TandemConfig>(key: K, value: TandemConfig[K], line: number): void {
    this.config[key] = value;
    this.origins[key] = placeOf(line);
  }

  unset(key: keyof TandemConfig): void {
    delete this.config[key];
    delete this.origins[key];
  }

  usesDataDirectory({ line }: Statement): void {
    this.dataDirectory ??= placeOf(line);
  }

  addToPath(path: string, line: number): void {
    const before = this.config.pythonpath ?? [];
    if (!before.includes(path)) this.set('pythonpath', [...before, path], line);
  }

  /** Understood, and nobody else would say so. */
  note(statement: Statement, why: string, value = shown(statement)): void {
    this.findings.push(finding('epio.ini', value, why, placeOf(statement.line)));
  }

  /** Understood, and the platform has nothing like it. */
  noCounterpart(statement: Statement, instead: string, value = shown(statement)): void {
    this.note(statement, `no counterpart: ${instead}`, value);
  }

  unknownKey(statement: Statement, known: readonly string[]): void {
    const { section, key, line } = statement;
    const why = `unknown key: [${section}] knows ${known.join(', ')}`;
    this.findings.push(finding('epio.ini', `${key} left out`, why, placeOf(line)));
  }

  unknownSection({ name, line }: Section): void {
    const value = `[${name}] left out`;
    this.findings.push(finding('epio.ini', value, 'unknown section', placeOf(line)));
  }
}

function shown({ section, key, value }: Statement): string {
  return `[${section}] ${key} = ${value}`;
}

type KeyReader = (statement: Statement, reading: EpioReading) => void;

/** Of a section whose keys are fixed. A key without a value is one that was left blank. */
export function readerOf(name: string, keys: Readonly<Record<string, KeyReader>>): SectionReader {
  return {
    reads: (section) => section === name,
    read: ({ statements }, reading) => {
      for (const statement of statements) {
        const read = keys[statement.key];
        if (read === undefined) reading.unknownKey(statement, Object.keys(keys));
        else if (statement.value !== '') read(statement, reading);
      }
    },
  };
}

const TRUE = new Set(['true', 'yes', 'on', '1']);
const FALSE = new Set(['false', 'no', 'off', '0']);

export function booleanOf({ key, value, line }: Statement): boolean {
  const word = value.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw invalid(line, `${key} = ${value} is neither true nor false`, `${key} = true`);
}
