// The dialect of INI that epio.ini was written in, Python's ConfigParser of 2011: sections may come
// again and add to the first, the last of two equal keys counts, indented lines continue a value.
import { interpolate } from './interpolation.ts';
import { invalid } from './invalid.ts';

export interface Statement {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface Section {
  readonly name: string;
  /** Of its first header. */
  readonly line: number;
  readonly statements: readonly Statement[];
}

const HEADER = /^\[([^\]]+)\]\s*(?:[#;].*)?$/;
const STATEMENT = /^([^:=\s][^:=]*?)\s*[:=]\s*(.*)$/;
const COMMENT = /^(?:[#;]|rem\s)/i;
const INLINE_COMMENT = /\s;.*$/;
/** Values of this section stand in for those that another lacks. */
const DEFAULTS = 'DEFAULT';

interface OpenSection {
  readonly name: string;
  readonly line: number;
  readonly statements: Map<string, Statement>;
}

export function parseIniFile(text: string): Section[] {
  const reader = new IniReader();
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((line, index) => reader.read(line, index + 1));
  return reader.finish();
}

class IniReader {
  readonly #sections = new Map<string, OpenSection>();
  #section: OpenSection | undefined;
  #last: Statement | undefined;

  read(raw: string, line: number): void {
    const content = raw.trim();
    if (content === '') this.#last = undefined;
    if (content === '' || COMMENT.test(content)) return;
    if (/^\s/.test(raw) && this.#last !== undefined) return this.#continue(this.#last, content);
    this.#last = undefined;
    if (content.startsWith('[')) this.#open(content, line);
    else this.#state(content, line);
  }

  finish(): Section[] {
    const defaults = valuesOf(this.#sections.get(DEFAULTS));
    return [...this.#sections.values()]
      .filter(({ name }) => name !== DEFAULTS)
      .map((section) => {
        const known = { ...defaults, ...valuesOf(section) };
        const statements = [...section.statements.values()];
        return { ...section, statements: statements.map((one) => interpolate(one, known)) };
      });
  }

  #open(content: string, line: number): void {
    const name = HEADER.exec(content)?.[1]?.trim();
    if (!name) throw invalid(line, `"${content.slice(0, 60)}" is not [SECTION]`);
    const section = this.#sections.get(name) ?? { name, line, statements: new Map() };
    this.#sections.set(name, section);
    this.#section = section;
  }

  #state(content: string, line: number): void {
    const [, key, value] = STATEMENT.exec(content) ?? [];
    if (key === undefined || value === undefined) {
      throw invalid(line, `"${content.slice(0, 60)}" is not KEY = VALUE`);
    }
    if (this.#section === undefined) throw invalid(line, `"${key}" stands before any [SECTION]`);
    const bare = value.startsWith(';') ? '' : value.replace(INLINE_COMMENT, '').trim();
    this.#keep(this.#section, { section: this.#section.name, key, value: bare, line });
  }

  #continue(last: Statement, content: string): void {
    if (this.#section === undefined) return;
    this.#keep(this.#section, { ...last, value: `${last.value}\n${content}`.trim() });
  }

  #keep(section: OpenSection, statement: Statement): void {
    section.statements.set(statement.key, statement);
    this.#last = statement;
  }
}

function valuesOf(section: OpenSection | undefined): Record<string, string> {
  const statements = [...(section?.statements.values() ?? [])];
  return Object.fromEntries(statements.map(({ key, value }) => [key, value]));
}
