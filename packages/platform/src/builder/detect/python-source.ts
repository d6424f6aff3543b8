// Python text as logical lines: comments gone, brackets and backslashes joined. Enough to find
// imports, assignments and definitions without being fooled by strings and comments.

export interface LogicalLine {
  /** Of its first character, counted from 1. */
  readonly line: number;
  readonly indent: number;
  /** Strings emptied: what is matched against code. */
  readonly code: string;
  /** Strings kept: for values. */
  readonly text: string;
}

/** Without a bracket, quote, comment, backslash or end of line. */
const PLAIN = /[^#"'\n\\()[\]{}]+/y;

const REMEMBERED_CHARACTERS_MAX = 48 * 1024 * 1024;
let remembered: Map<string, readonly LogicalLine[]> | undefined;

export function logicalLines(source: string): readonly LogicalLine[] {
  const known = remembered?.get(source);
  if (known !== undefined) return known;
  const lines = new Scanner(source).scan();
  remembered?.set(source, lines);
  return lines;
}

/** While `work` runs, each text is scanned once, however many rules look at it. Not asynchronous. */
export function scanningOnce<T>(work: () => T): T {
  remembered = new BoundedScans();
  try {
    return work();
  } finally {
    remembered = undefined;
  }
}

class BoundedScans extends Map<string, readonly LogicalLine[]> {
  #characters = 0;

  override set(source: string, lines: readonly LogicalLine[]): this {
    this.#characters += source.length;
    return this.#characters > REMEMBERED_CHARACTERS_MAX ? this : super.set(source, lines);
  }
}

/** The first logical line whose code matches. */
export function findCode(source: string | undefined, pattern: RegExp): LogicalLine | undefined {
  if (source === undefined) return undefined;
  return logicalLines(source).find((line) => pattern.test(line.code));
}

/** Line of a bracket that is never closed: everything after it reads as one line. */
export function unclosedBracket(source: string): number | undefined {
  const scanner = new Scanner(source);
  scanner.scan();
  return scanner.unclosedLine;
}

class Scanner {
  unclosedLine: number | undefined;
  readonly #source: string;
  readonly #lines: LogicalLine[] = [];
  #at = 0;
  #line = 1;
  #startLine = 1;
  #depth = 0;
  /** Of the outermost open bracket. */
  #openLine = 1;
  #code = '';
  #text = '';

  constructor(source: string) {
    this.#source = source.replaceAll('\r\n', '\n');
  }

  scan(): LogicalLine[] {
    while (this.#at < this.#source.length) this.#step(this.#source[this.#at] ?? '');
    if (this.#depth > 0) this.unclosedLine = this.#openLine;
    this.#finish();
    return this.#lines;
  }

  #step(character: string): void {
    if (character === '#') this.#skipComment();
    else if (character === '"' || character === "'") this.#string(character);
    else if (character === '\n') this.#newline();
    else if (character === '\\' && this.#source[this.#at + 1] === '\n') this.#join(2);
    else if ('([{'.includes(character)) this.#open(character);
    else if (')]}'.includes(character)) this.#close(character);
    else this.#plain(character);
  }

  /** All that means nothing to the scanner, at once. */
  #plain(character: string): void {
    PLAIN.lastIndex = this.#at;
    const text = PLAIN.exec(this.#source)?.[0] ?? character;
    this.#add(text, text);
    this.#at += text.length;
  }

  #open(character: string): void {
    if (this.#depth === 0) this.#openLine = this.#line;
    this.#depth += 1;
    this.#add(character, character);
    this.#at += 1;
  }

  #close(character: string): void {
    this.#depth = Math.max(0, this.#depth - 1);
    this.#add(character, character);
    this.#at += 1;
  }

  #skipComment(): void {
    const end = this.#source.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#source.length : end;
  }

  #newline(): void {
    if (this.#depth > 0) return this.#join(1);
    this.#finish();
    this.#at += 1;
    this.#line += 1;
    this.#startLine = this.#line;
  }

  #join(length: number): void {
    this.#add(' ', ' ');
    this.#at += length;
    this.#line += 1;
  }

  #string(quote: string): void {
    const triple = this.#source.startsWith(quote.repeat(3), this.#at);
    const delimiter = triple ? quote.repeat(3) : quote;
    const end = this.#endOfString(delimiter, triple);
    const content = this.#source.slice(this.#at + delimiter.length, end);
    this.#line += content.split('\n').length - 1;
    this.#add(quote + quote, triple ? quote + quote : quote + content + quote);
    this.#at = this.#source[end] === '\n' ? end : end + delimiter.length;
  }

  #endOfString(delimiter: string, triple: boolean): number {
    const source = this.#source;
    let end = this.#at + delimiter.length;
    while (end < source.length) {
      const character = source[end];
      if (character === '\\') end += 2;
      else if (character === '\n' && !triple) return end;
      else if (character === delimiter[0] && source.startsWith(delimiter, end)) return end;
      else end += 1;
    }
    return end;
  }

  #add(code: string, text: string): void {
    this.#code += code;
    this.#text += text;
  }

  #finish(): void {
    const code = this.#code.trim();
    if (code !== '') {
      const indent = this.#code.length - this.#code.trimStart().length;
      this.#lines.push({ line: this.#startLine, indent, code, text: this.#text.trim() });
    }
    this.#code = '';
    this.#text = '';
    this.#depth = 0;
  }
}
