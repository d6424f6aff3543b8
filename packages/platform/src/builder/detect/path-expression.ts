// What a Python expression for a path comes to, as far as text tells: strings, os.path, pathlib,
// names assigned elsewhere, defaults of environment variables. Undefined: only running it would tell.
import { dirname, normalize } from 'node:path/posix';
import { tokens, type Token } from './python-tokens.ts';

export interface PathScope {
  /** `__file__`, absolute inside the sandbox. */
  readonly file: string;
  /** Working directory of the processes. */
  readonly directory: string;
  /** Of a name, or of the last part of a dotted one. */
  readonly lookUp: (name: string) => string | undefined;
}

type Value = string | undefined;

const SAME = /(^|\.)(str|fspath|Path|PurePath|PosixPath|realpath|normpath|expanduser|expandvars)$/;
const SAME_METHODS = new Set(['resolve', 'expanduser', 'as_posix', '__str__', 'strip']);
/** Calls that give a variable of the environment, or what is named for its absence. */
const ENVIRONMENT = /(^|\.)(environ\.get|getenv|env|config|get_env\w*|env_\w+|env\.(str|path))$/;
const DEPTH_MAX = 50;

/** The value of the expression that `text` begins with; what comes after it is left. */
export function evaluatePath(text: string, scope: PathScope): string | undefined {
  return new Evaluator(tokens(text), scope).expression();
}

interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

class Evaluator {
  readonly #tokens: readonly Token[];
  readonly #scope: PathScope;
  #at = 0;
  #depth = 0;

  constructor(all: readonly Token[], scope: PathScope) {
    this.#tokens = all;
    this.#scope = scope;
  }

  /** `a or b` is b where a is unknown: the variable of the environment that is not set. */
  expression(): Value {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) return undefined;
    let value = this.#sum();
    while (this.#takes('or')) {
      const other = this.#sum();
      value ??= other;
    }
    this.#depth -= 1;
    return value;
  }

  #sum(): Value {
    let value = this.#joined();
    while (this.#takes('+')) {
      const other = this.#joined();
      value = value === undefined || other === undefined ? undefined : value + other;
    }
    return value;
  }

  #joined(): Value {
    let value = this.#attributes();
    while (this.#takes('/')) value = joinPaths([value, this.#attributes()]);
    return value;
  }

  #attributes(): Value {
    let value = this.#operand();
    for (;;) {
      if (this.#takes('.')) value = this.#attribute(value, this.#next()?.text ?? '');
      else if (this.#takes('[')) {
        value = undefined;
        this.#skipTo(']');
      } else return value;
    }
  }

  #attribute(value: Value, name: string): Value {
    if (name === 'parents') {
      const levels = Number(this.#takes('[') ? this.#next()?.text : Number.NaN);
      this.#takes(']');
      let at = value;
      for (let level = 0; level <= levels; level += 1) at = at && dirname(at);
      return Number.isInteger(levels) ? at : undefined;
    }
    if (!this.#takes('(')) return name === 'parent' ? value && dirname(value) : undefined;
    const { positional } = this.#arguments();
    if (name === 'joinpath') return joinPaths([value, ...positional]);
    if (name === 'absolute') return joinPaths([this.#scope.directory, value]);
    return SAME_METHODS.has(name) ? value : undefined;
  }

  #operand(): Value {
    const token = this.#next();
    if (token === undefined) return undefined;
    if (token.kind === 'string') return this.#strings(token);
    if (token.text === '(') {
      const value = this.expression();
      this.#skipTo(')');
      return value;
    }
    return token.kind === 'name' ? this.#named(token.text) : undefined;
  }

  /** Strings side by side are one. */
  #strings(first: Token): Value {
    let value = this.#string(first);
    while (this.#tokens[this.#at]?.kind === 'string') {
      const next = this.#string(this.#next() ?? first);
      value = value === undefined || next === undefined ? undefined : value + next;
    }
    return value;
  }

  #string({ text, isFormatted }: Token): Value {
    if (!isFormatted) return text;
    let isKnown = true;
    const filled = text.replaceAll(/\{([^{}]*)\}/g, (_, inner: string) => {
      const value = evaluatePath(inner, this.#scope);
      isKnown &&= value !== undefined;
      return value ?? '';
    });
    return isKnown ? filled : undefined;
  }

  #named(first: string): Value {
    const parts = [first];
    let start = this.#at;
    // Attributes of a value known by its name (`BASE.parent`) are left for `#attributes`.
    let known = this.#look(parts);
    while (this.#tokens[this.#at]?.text === '.' && this.#tokens[this.#at + 1]?.kind === 'name') {
      this.#at += 1;
      parts.push(this.#next()?.text ?? '');
      const value = this.#look(parts);
      if (value !== undefined) [known, start] = [value, this.#at];
    }
    const name = parts.join('.');
    if (this.#takes('(')) {
      if (known !== undefined && start < this.#at - 1) {
        this.#at = start;
        return known;
      }
      return this.#call(name, this.#arguments());
    }
    if (known === undefined && this.#takes('[')) return this.#item();
    this.#at = known === undefined ? this.#at : start;
    return known;
  }

  /** `app.config["UPLOAD_FOLDER"]` is what that name was set to. */
  #item(): Value {
    const key = this.#next();
    this.#skipTo(']');
    return key?.kind === 'string' ? this.#scope.lookUp(key.text) : undefined;
  }

  #look(parts: readonly string[]): Value {
    const name = parts.at(-1) ?? '';
    if (parts.length === 1 && name === '__file__') return this.#scope.file;
    return this.#scope.lookUp(name);
  }

  #call(name: string, { positional, named }: Arguments): Value {
    const [first] = positional;
    if (/(^|\.)(getcwd|cwd)$/.test(name)) return this.#scope.directory;
    if (name.endsWith('path.join') || name === 'join') return joinPaths(positional);
    if (name.endsWith('dirname')) return first && dirname(first);
    if (name.endsWith('abspath')) return joinPaths([this.#scope.directory, first]);
    if (ENVIRONMENT.test(name)) return named.get('default') ?? positional[1];
    if (!SAME.test(name)) return undefined;
    return positional.length > 1 ? joinPaths(positional) : first;
  }

  #arguments(): Arguments {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    while (this.#at < this.#tokens.length && !this.#takes(')')) {
      const before = this.#at;
      const name = this.#tokens[this.#at + 1]?.text === '=' ? this.#next()?.text : undefined;
      if (name !== undefined) this.#at += 1;
      const value = this.expression();
      if (name === undefined) positional.push(value);
      else named.set(name, value);
      this.#skipToNextArgument();
      if (this.#at === before) this.#at += 1;
    }
    return { positional, named };
  }

  /** To behind the comma, or before the closing bracket. */
  #skipToNextArgument(): void {
    for (let depth = 0; this.#at < this.#tokens.length; this.#at += 1) {
      const text = this.#punctuation();
      if (depth === 0 && text === ')') return;
      if (depth === 0 && text === ',') {
        this.#at += 1;
        return;
      }
      depth += '([{'.includes(text || ' ') ? 1 : ')]}'.includes(text || ' ') ? -1 : 0;
    }
  }

  #skipTo(closing: string): void {
    for (let depth = 0; this.#at < this.#tokens.length; this.#at += 1) {
      const text = this.#punctuation();
      if (depth === 0 && text === closing) {
        this.#at += 1;
        return;
      }
      depth += '([{'.includes(text || ' ') ? 1 : ')]}'.includes(text || ' ') ? -1 : 0;
    }
  }

  #punctuation(): string {
    const token = this.#tokens[this.#at];
    return token?.kind === 'other' ? token.text : '';
  }

  #takes(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === 'string' || token.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #next(): Token | undefined {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    return token;
  }
}

/** As os.path.join: an absolute part begins anew. */
function joinPaths(parts: readonly Value[]): Value {
  let joined = '';
  for (const part of parts) {
    if (part === undefined) return undefined;
    joined = part.startsWith('/') || joined === '' ? part : `${joined}/${part}`;
  }
  return joined === '' ? '' : normalize(joined).replace(/(?<=.)\/$/, '');
}
