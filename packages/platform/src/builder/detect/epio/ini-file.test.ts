import { describe, expect, it } from 'vitest';
import { parseIniFile } from './ini-file.ts';

const statementsIn = (text: string) =>
  parseIniFile(text).flatMap(({ statements }) =>
    statements.map(({ section, key, value, line }) => `${line} [${section}] ${key}=${value}`),
  );
const refusal = (text: string): unknown => {
  try {
    return parseIniFile(text);
  } catch (error) {
    return error;
  }
};

describe('an INI file of 2011', () => {
  it('separates by = or :, and keeps the case of keys', () => {
    expect(statementsIn('[env]\nFOO = bar\nBaz: a=b\n')).toEqual([
      '2 [env] FOO=bar',
      '3 [env] Baz=a=b',
    ]);
  });

  it('has comments of whole lines, and after a blank and a semicolon', () => {
    const text =
      '# one\n; two\n[wsgi] # main\nrem three\nrequirements = r.txt ; the file\nx = a#b;c';
    expect(statementsIn(text)).toEqual(['5 [wsgi] requirements=r.txt', '6 [wsgi] x=a#b;c']);
  });

  it('may open a section again, where the last of equal keys counts', () => {
    const text = '[static]\n/a = one\n[env]\n[static]\n/b = two\n/a = three\n';
    expect(statementsIn(text)).toEqual(['6 [static] /a=three', '5 [static] /b=two']);
  });

  it('continues a value on indented lines', () => {
    expect(statementsIn('[wsgi]\npythonpath = one\n  two\n\tthree\nx = 1')).toEqual([
      '2 [wsgi] pythonpath=one\ntwo\nthree',
      '5 [wsgi] x=1',
    ]);
  });

  it('survives a byte order mark, CRLF and sections without anything in them', () => {
    expect(statementsIn('\uFEFF[cron]\r\n[django]\r\nbase = .       \r\n')).toEqual([
      '3 [django] base=.',
    ]);
  });

  it('fills in what the old system knew, keys of the section and of [DEFAULT]', () => {
    const text = `[DEFAULT]
top = site
[static]
dir = %(top)s/public
/static = %(dir)s/css
/media = %(data_directory)s/media/
/admin = %(django_admin_media)s/
percent = 100%% of 5%
`;
    expect(statementsIn(text)).toEqual([
      '4 [static] dir=site/public',
      '5 [static] /static=site/public/css',
      '6 [static] /media=/data/media/',
      '7 [static] /admin={django_admin_media}/',
      '8 [static] percent=100% of 5%',
    ]);
  });
});

describe('a file that cannot be read', () => {
  it.each([
    ['base = .', 1, '"base" stands before any [SECTION]'],
    ['[wsgi]\n=======\n', 2, '"=======" is not KEY = VALUE'],
    ['[wsgi]\nrequirements', 2, '"requirements" is not KEY = VALUE'],
    ['# x\n[wsgi\n', 2, '"[wsgi" is not [SECTION]'],
    ['[]', 1, '"[]" is not [SECTION]'],
    ['[ ]', 1, '"[ ]" is not [SECTION]'],
    ['[a]\nx = %(nothing)s', 2, '"%(nothing)s" names nothing'],
    ['[a]\nx = %(y)s\ny = %(x)s', 2, 'leads round in circles'],
  ])('%j is refused by its line', (text, line, message) => {
    expect(refusal(text)).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: `epio.ini:${line}`,
      message: expect.stringContaining(message) as string,
      hint: expect.stringMatching(/./) as string,
    });
  });

  it('is refused in little time, however its values refer to each other', () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `k${level} = ${`%(k${level + 1})s`.repeat(30)}`,
    );
    expect(refusal(`[a]\n${levels.join('\n')}\nk30 =\n`)).toMatchObject({
      code: 'EPIO_INI_INVALID',
    });
  });
});
