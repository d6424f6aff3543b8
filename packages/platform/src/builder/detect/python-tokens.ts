// The tokens of one logical line of Python: strings with what is in them, names, numbers, the rest.

export interface Token {
  readonly kind: 'string' | 'name' | 'number' | 'other';
  /** Of a string: what is between its quotes. */
  readonly text: string;
  /** An f-string. */
  readonly isFormatted?: boolean;
  /** Where it begins. */
  readonly offset: number;
}

const TOKEN =
  /([A-Za-z]{0,2})("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([A-Za-z_]\w*)|(\d[\d.]*)|([^\s])/gu;

export function tokens(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((match): Token => {
    const [, prefix = '', quoted, name, number, other = ''] = match;
    const offset = match.index;
    if (quoted !== undefined) {
      const isFormatted = /f/i.test(prefix);
      return { kind: 'string', text: quoted.slice(1, -1), isFormatted, offset };
    }
    if (name !== undefined) return { kind: 'name', text: name, offset };
    if (number !== undefined) return { kind: 'number', text: number, offset };
    return { kind: 'other', text: other, offset };
  });
}
