// A shell text as the simple commands in it: enough to see what a container starts, not to run it.

export interface ShellStep {
  /** Quotes removed; `$X` stays where no default is given. */
  readonly words: readonly string[];
  /** From 1, within the text. */
  readonly line: number;
  /** Inside of `if`, `while`, `case`, or after `||`: it may not run. */
  readonly conditional: boolean;
}

const OPENING = new Set(['if', 'while', 'until', 'for', 'case', 'select']);
const CLOSING = new Set(['fi', 'done', 'esac']);
/** Words that a command may follow on the same line. */
const BETWEEN = new Set(['then', 'do', 'else', 'elif', '!', '{', '}', '(', ')', ...OPENING]);
const FUNCTION = /^(function|\w[\w-]*\(\)\{?)$/;
const CHARACTERS_MAX = 64 * 1024;
const SEPARATOR = /^(&&|\|\||;;|[;|&\n])/;
const HEREDOC = /<<-?\s*["']?(\w+)["']?/;

export function shellSteps(text: string): ShellStep[] {
  const reader = new Reader(withoutHeredocs(text.slice(0, CHARACTERS_MAX)));
  return reader.read();
}

/** What a command is fed is no command; its lines stay, for the numbers. */
function withoutHeredocs(text: string): string {
  const kept: string[] = [];
  let end: string | undefined;
  for (const line of text.replaceAll('\r\n', '\n').split('\n')) {
    if (end !== undefined) {
      if (line.trim() === end) end = undefined;
      kept.push('');
      continue;
    }
    end = HEREDOC.exec(line.replace(/<<</g, ''))?.[1];
    kept.push(end === undefined ? line : line.replace(HEREDOC, ''));
  }
  return kept.join('\n');
}

class Reader {
  readonly #text: string;
  readonly #steps: ShellStep[] = [];
  #at = 0;
  #line = 1;
  #stepLine = 1;
  #words: string[] = [];
  #depth = 0;
  #afterOr = false;
  /** Bodies of functions run when they are called: not seen. */
  #functionBraces = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ShellStep[] {
    while (this.#at < this.#text.length) this.#next();
    this.#finish();
    return this.#steps;
  }

  #next(): void {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    if (rest === '\\\n') {
      this.#at += 2;
      this.#line += 1;
      return;
    }
    if (/^[ \t]/.test(rest)) {
      this.#at += 1;
      return;
    }
    if (rest.startsWith('#')) {
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end < 0 ? this.#text.length : end;
      return;
    }
    const separator = SEPARATOR.exec(rest)?.[0];
    if (separator === undefined) this.#word();
    else this.#separate(separator);
  }

  #separate(separator: string): void {
    this.#finish();
    this.#afterOr = separator === '||';
    if (separator === '\n') this.#line += 1;
    this.#at += separator.length;
  }

  #word(): void {
    if (this.#words.length === 0) this.#stepLine = this.#line;
    let word = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      if (/\s/.test(character) || SEPARATOR.test(character)) {
        // `>&2` and `2>&1` are redirections.
        if (character !== '&' || !word.endsWith('>')) break;
      }
      word += this.#piece(character);
    }
    this.#take(word);
  }

  #piece(character: string): string {
    if (character === '\\') {
      const escaped = this.#text[this.#at + 1] ?? '';
      this.#at += 2;
      if (escaped === '\n') this.#line += 1;
      return escaped === '\n' ? '' : escaped;
    }
    if (character === "'" || character === '"') return this.#quoted(character);
    if (this.#text.startsWith('$(', this.#at)) return this.#substitution();
    if (this.#text.startsWith('${', this.#at)) return this.#until('}');
    if (character === '`') return this.#until('`');
    this.#at += 1;
    return character;
  }

  #quoted(quote: string): string {
    let value = '';
    this.#at += 1;
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      const character = this.#text[this.#at] ?? '';
      if (character === '\\' && quote === '"') {
        this.#at += 1;
        const escaped = this.#text[this.#at] ?? '';
        if (escaped !== '\n') value += escaped;
        else this.#line += 1;
      } else {
        if (character === '\n') this.#line += 1;
        value += character;
      }
      this.#at += 1;
    }
    this.#at += 1;
    return value;
  }

  #substitution(): string {
    const start = this.#at;
    let depth = 0;
    do {
      const character = this.#text[this.#at];
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (character === '\n') this.#line += 1;
      this.#at += 1;
    } while (this.#at < this.#text.length && (depth > 0 || this.#at < start + 2));
    return this.#text.slice(start, this.#at);
  }

  #until(end: string): string {
    const found = this.#text.indexOf(end, this.#at + 1);
    const stop = found < 0 ? this.#text.length : found + 1;
    const piece = this.#text.slice(this.#at, stop);
    this.#line += piece.split('\n').length - 1;
    this.#at = stop;
    return piece;
  }

  #take(word: string): void {
    const isFirst = this.#words.length === 0;
    if (isFirst && FUNCTION.test(word)) {
      this.#functionBraces += word.endsWith('{') ? 1 : 0;
      this.#words.push(word);
      return;
    }
    if (word === '{' && (this.#isFunction() || this.#functionBraces > 0)) {
      this.#functionBraces += 1;
      this.#words = [];
      return;
    }
    if (isFirst && word === '}' && this.#functionBraces > 0) {
      this.#functionBraces -= 1;
      return;
    }
    if (isFirst && OPENING.has(word)) this.#depth += 1;
    if (isFirst && CLOSING.has(word)) this.#depth = Math.max(0, this.#depth - 1);
    if (isFirst && (BETWEEN.has(word) || CLOSING.has(word))) return;
    this.#words.push(word);
  }

  #isFunction(): boolean {
    const [first = ''] = this.#words;
    return FUNCTION.test(first);
  }

  #finish(): void {
    // `name()` with its brace on the next line.
    const isHeader = this.#isFunction();
    const words = withoutRedirections(this.#words);
    if (words.length > 0 && this.#functionBraces === 0 && !isHeader) {
      const conditional = this.#depth > 0 || this.#afterOr;
      this.#steps.push({ words, line: this.#stepLine, conditional });
    }
    if (isHeader && /^\s*\n?\s*\{/.test(this.#text.slice(this.#at))) return;
    this.#words = [];
  }
}

/** `>file`, `> file`, `2>&1`, `< file`. */
function withoutRedirections(words: readonly string[]): string[] {
  const isAlone = (word = ''): boolean => /^\d?[<>]{1,2}$/.test(word);
  return words.filter(
    (word, index) => !/^\d?>/.test(word) && !/^\d?<(?!\()/.test(word) && !isAlone(words[index - 1]),
  );
}
