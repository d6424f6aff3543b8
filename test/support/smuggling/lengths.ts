// Where a body ends, said by Content-Length, by Transfer-Encoding, or by both at odds.
import {
  BROKEN,
  either,
  get,
  HOST,
  pass,
  post,
  refuse,
  REFUSED,
  SMUGGLED,
  type SmugglingCase,
  type SmugglingFamily,
} from './case.ts';

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const CODED = 'Transfer-Encoding: chunked\r\n';
const hello = { method: 'POST', body: 'hello' };

const lengthThenCoding: readonly SmugglingCase[] = [
  refuse(
    'length that covers a second request',
    post(`Content-Length: 6\r\n${CODED}`, '0\r\n\r\nG'),
  ),
  refuse('length of zero', post(`Content-Length: 0\r\n${CODED}`, `0\r\n\r\n${SMUGGLED}`)),
  refuse('length that happens to agree', post(`Content-Length: 15\r\n${CODED}`, CHUNKS)),
  refuse(
    'coding with capitals',
    post('Content-Length: 4\r\nTRANSFER-ENCODING: Chunked\r\n', CHUNKS),
  ),
  refuse('another header between', post(`Content-Length: 4\r\nX: y\r\n${CODED}`, CHUNKS)),
  refuse('on a GET', get(`Content-Length: 5\r\n${CODED}`) + CHUNKS),
  refuse('empty length', post(`Content-Length:\r\n${CODED}`, CHUNKS)),
  refuse(
    'length named in Connection',
    post(`Connection: Content-Length\r\nContent-Length: 5\r\n${CODED}`, CHUNKS),
  ),
];

const codingThenLength: readonly SmugglingCase[] = [
  refuse(
    'length shorter than the chunks',
    post(`${CODED}Content-Length: 4\r\n`, `5c\r\n${SMUGGLED}`),
  ),
  refuse('length of zero', post(`${CODED}Content-Length: 0\r\n`, `0\r\n\r\n${SMUGGLED}`)),
  refuse('length that happens to agree', post(`${CODED}Content-Length: 15\r\n`, CHUNKS)),
  refuse(
    'coding named in Connection',
    post(`Connection: Transfer-Encoding\r\n${CODED}Content-Length: 4\r\n`, CHUNKS),
  ),
  refuse('on a HEAD', `HEAD / HTTP/1.1\r\n${HOST}${CODED}Content-Length: 5\r\n\r\n${CHUNKS}`),
  refuse('two lengths as well', post(`Content-Length: 4\r\n${CODED}Content-Length: 4\r\n`, CHUNKS)),
];

const codedAs = (value: string): string => post(`Transfer-Encoding:${value}\r\n`, CHUNKS);

const REFUSED_CODINGS: readonly (readonly [name: string, value: string])[] = [
  ['x before', ' xchunked'],
  ['cut short', ' chunke'],
  ['a longer word', ' chunkedx'],
  ['twice in a list', ' chunked, chunked'],
  ['identity after it', ' chunked, identity'],
  ['identity before it', ' identity, chunked'],
  ['gzip before it', ' gzip, chunked'],
  ['identity alone', ' identity'],
  ['gzip alone', ' gzip'],
  ['a comma after', ' chunked,'],
  ['a comma before', ' ,chunked'],
  ['a parameter', ' chunked;q=1'],
  ['a parameter with space', ' chunked ; x'],
  ['double quotes', ' "chunked"'],
  ['single quotes', " 'chunked'"],
  ['brackets', ' [chunked]'],
  ['a space inside', ' chun ked'],
  ['a tab inside', ' chun\tked'],
  ['two words', ' chunked chunked'],
  ['vertical tab before', ' \x0bchunked'],
  ['vertical tab after', ' chunked\x0b'],
  ['form feed before', ' \x0cchunked'],
  ['form feed after', ' chunked\x0c'],
  ['NUL before', ' \0chunked'],
  ['NUL after', ' chunked\0'],
  ['backspace', ' chunked\b'],
  ['DEL after', ' chunked\x7f'],
  ['no-break space before', ' \xa0chunked'],
  ['no-break space after', ' chunked\xa0'],
  ['a byte above ASCII before', ' \xefchunked'],
  // U+212A lower-cases to k.
  ['the Kelvin sign for its k', ' chun\xe2\x84\xaaed'],
  ['a byte order mark', ' \xef\xbb\xbfchunked'],
  ['nothing', ''],
  ['only space', '   '],
  ['a colon before', ': chunked'],
  ['a bare CR before', '\rchunked'],
  ['a bare LF before', '\nchunked'],
  ['a fold before', '\r\n chunked'],
  ['a fold after', ' chunked\r\n '],
  ['a folded list', ' chunked,\r\n identity'],
  ['an unknown coding', ' cow'],
];

const CODING_NAMES: readonly (readonly [name: string, line: string])[] = [
  ['a space before the colon', 'Transfer-Encoding : chunked\r\n'],
  ['a tab before the colon', 'Transfer-Encoding\t: chunked\r\n'],
  ['a space before the name', ' Transfer-Encoding: chunked\r\n'],
  ['NUL in the name', 'Transfer\0-Encoding: chunked\r\n'],
  ['a soft hyphen in the name', 'Transfer\xadEncoding: chunked\r\n'],
  ['no colon', 'Transfer-Encoding chunked\r\n'],
  ['behind a bare LF', 'X: y\nTransfer-Encoding: chunked\r\n'],
  ['behind a bare CR', 'X: y\rTransfer-Encoding: chunked\r\n'],
  ['behind LF CR', 'X: y\n\rTransfer-Encoding: chunked\r\n'],
  ['a bare LF after the name', 'Transfer-Encoding\n: chunked\r\n'],
];

const obfuscatedCodings: readonly SmugglingCase[] = [
  ...REFUSED_CODINGS.map(([name, value]) => refuse(name, codedAs(value))),
  ...REFUSED_CODINGS.slice(0, 12).map(([name, value]) =>
    refuse(
      `${name}, beside a length`,
      post(`Content-Length: 5\r\nTransfer-Encoding:${value}\r\n`, 'hello'),
    ),
  ),
  ...CODING_NAMES.map(([name, line]) => refuse(name, post(line, CHUNKS))),
  refuse('twice, equal', post(CODED + CODED, CHUNKS)),
  refuse('twice, identity first', post(`Transfer-Encoding: identity\r\n${CODED}`, CHUNKS)),
  refuse('twice, identity last', post(`${CODED}Transfer-encoding: identity\r\n`, CHUNKS)),
  refuse('twice, an unknown one last', post(`${CODED}Transfer-Encoding: x\r\n`, CHUNKS)),
  refuse('twice, an empty one first', post(`Transfer-Encoding:\r\n${CODED}`, CHUNKS)),
  refuse('in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}${CODED}\r\n${CHUNKS}`),
  refuse(
    'in HTTP/1.0 that keeps alive',
    `POST / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n${CODED}\r\n${CHUNKS}`,
  ),
  pass('capitals', codedAs(' CHUNKED'), hello),
  pass('mixed case', codedAs(' cHuNkEd'), hello),
  pass('no space', codedAs('chunked'), hello),
  pass('a tab before', codedAs('\tchunked'), hello),
  pass('spaces around', codedAs('   chunked  \t '), hello),
  pass('on a GET', get(CODED) + CHUNKS, { body: 'hello' }),
  pass('on a DELETE', `DELETE / HTTP/1.1\r\n${HOST}${CODED}\r\n${CHUNKS}`, {
    method: 'DELETE',
    body: 'hello',
  }),
  pass(
    'with an underscore it is no coding',
    post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'),
    {
      ...hello,
      headers: { 'transfer-encoding': undefined, transfer_encoding: undefined },
    },
  ),
  pass('TE is no coding', post('TE: chunked\r\nContent-Length: 5\r\n', 'hello'), {
    ...hello,
    headers: { te: undefined },
  }),
];

const lengthAs = (value: string): string => post(`Content-Length:${value}\r\n`, 'hello');

const REFUSED_LENGTHS: readonly (readonly [name: string, value: string])[] = [
  ['a list, equal', ' 5, 5'],
  ['a list, differing', ' 5, 6'],
  ['a list without space', ' 5,5'],
  ['a comma after', ' 5,'],
  ['a comma before', ' ,5'],
  ['two words', ' 5 5'],
  ['plus', ' +5'],
  ['minus', ' -5'],
  ['minus zero', ' -0'],
  ['hexadecimal', ' 0x5'],
  ['octal', ' 0o5'],
  ['a fraction', ' 5.0'],
  ['an exponent', ' 5e0'],
  ['digits grouped', ' 1_0'],
  ['a letter after', ' 5a'],
  ['a letter before', ' a5'],
  ['a parameter', ' 5;x'],
  ['quotes', ' "5"'],
  ['a full-width digit', ' \xef\xbc\x95'],
  ['an Arabic digit', ' \xd9\xa5'],
  ['superscript', ' \xb5'],
  ['vertical tab', ' \x0b5'],
  ['form feed after', ' 5\x0c'],
  ['NUL after', ' 5\0'],
  ['no-break space', ' \xa05'],
  ['empty', ''],
  ['only space', '  '],
  ['a fold before', '\r\n 5'],
  ['a fold after', ' 5\r\n '],
  ['a fold inside', ' 1\r\n 0'],
  ['a bare CR', ' 5\r'],
  ['infinity', ' Infinity'],
  ['2^53 + 1', ' 9007199254740993'],
  ['2^63', ' 9223372036854775808'],
  ['2^64', ' 18446744073709551616'],
  ['2^64 + 5', ' 18446744073709551621'],
  ['a hundred digits', ` ${'9'.repeat(100)}`],
];

const LENGTH_NAMES: readonly (readonly [name: string, lines: string])[] = [
  ['a space before the colon', 'Content-Length : 5\r\n'],
  ['a tab before the colon', 'Content-Length\t: 5\r\n'],
  ['a space before the name', ' Content-Length: 5\r\n'],
  ['NUL in the name', 'Content-Length\0: 5\r\n'],
  ['twice, equal', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
  ['twice, differing', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
  ['twice, in other case', 'content-length: 5\r\nCONTENT-LENGTH: 50\r\n'],
  ['twice, one empty', 'Content-Length: 5\r\nContent-Length:\r\n'],
  ['twice, far apart', `Content-Length: 5\r\n${'A: b\r\n'.repeat(50)}Content-Length: 0\r\n`],
  ['three times', 'Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5\r\n'],
  ['behind a bare LF', 'X: y\nContent-Length: 5\r\n'],
  ['behind a bare CR', 'X: y\rContent-Length: 5\r\n'],
];

const lengths: readonly SmugglingCase[] = [
  ...REFUSED_LENGTHS.map(([name, value]) => refuse(name, lengthAs(value))),
  ...LENGTH_NAMES.map(([name, lines]) => refuse(name, post(lines, 'hello'))),
  pass('no space', lengthAs('5'), hello),
  pass('a tab and spaces around', lengthAs('\t 5 \t'), hello),
  pass('a leading zero', lengthAs(' 05'), { ...hello, headers: { 'content-length': '5' } }),
  either('thirty leading zeros', lengthAs(` ${'0'.repeat(30)}5`), hello),
  pass('with an underscore it is no length', get('Content_Length: 50\r\n'), {
    headers: { 'content-length': undefined, content_length: undefined },
  }),
  pass('misspelt it is no length', get('Content-Lenght: 50\r\n'), {
    headers: { 'content-lenght': '50' },
  }),
  pass('of a GET', `${get('Content-Length: 5\r\n')}hello`, { body: 'hello' }),
  pass(
    'of a GET that looks like a request',
    get(`Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED,
    {
      body: SMUGGLED,
    },
  ),
  pass('of a HEAD', `HEAD / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, {
    method: 'HEAD',
    body: 'hello',
  }),
  pass('of a DELETE', `DELETE / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, {
    method: 'DELETE',
    body: 'hello',
  }),
  pass('of an OPTIONS', `OPTIONS / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, {
    method: 'OPTIONS',
    body: 'hello',
  }),
  pass('of zero on a GET', get('Content-Length: 0\r\n'), {}),
  pass('none on a POST', post(''), { method: 'POST', headers: { 'transfer-encoding': undefined } }),
  pass(
    'bytes of every kind in the body',
    post('Content-Length: 11\r\n', '\r\n\r\n\0\x0b\xff0\r\n\r'),
    {
      method: 'POST',
      body: '\r\n\r\n\0\x0b\xff0\r\n\r',
    },
  ),
  {
    name: 'longer than the body',
    bytes: post('Content-Length: 50\r\n', 'hello'),
    endsEarly: true,
    outcomes: [REFUSED, BROKEN],
  },
];

export const LENGTH_FAMILIES: readonly SmugglingFamily[] = [
  { name: 'Content-Length, then Transfer-Encoding', cases: lengthThenCoding },
  { name: 'Transfer-Encoding, then Content-Length', cases: codingThenLength },
  { name: 'Transfer-Encoding', cases: obfuscatedCodings },
  { name: 'Content-Length', cases: lengths },
];
