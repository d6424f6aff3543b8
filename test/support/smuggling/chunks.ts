// Chunked bodies: their sizes, extensions, ends, and the trailers behind them.
import {
  BROKEN,
  REFUSED,
  breaks,
  chunked,
  either,
  pass,
  SMUGGLED,
  type SmugglingCase,
  type SmugglingFamily,
} from './case.ts';

const hello = { method: 'POST', body: 'hello' };
const END = '0\r\n\r\n';

/** `hello` as a chunk with this for its size line. */
const sized = (line: string): string => chunked(`${line}\r\nhello\r\n${END}`);

const BROKEN_SIZES: readonly (readonly [name: string, line: string])[] = [
  ['0x before', '0x5'],
  ['0X before', '0X5'],
  ['plus', '+5'],
  ['minus', '-5'],
  ['h after', '5h'],
  ['a letter that is no digit', 'g'],
  ['empty', ''],
  ['a space before', ' 5'],
  ['a tab before', '\t5'],
  ['a fraction', '5.0'],
  ['a list', '5,5'],
  ['two words', '5 5'],
  ['digits grouped', '0_5'],
  ['quotes', '"5"'],
  ['vertical tab after', '5\x0b'],
  ['form feed after', '5\x0c'],
  ['NUL after', '5\0'],
  ['NUL before', '\x005'],
  ['a full-width digit', '\xef\xbc\x95'],
  ['a byte order mark', '\xef\xbb\xbf5'],
  ['a percent escape', '%35'],
  ['a colon after', '5:'],
  ['2^53 + 5', '20000000000005'],
  ['2^63', '8000000000000000'],
  ['2^64 + 5', '10000000000000005'],
  ['2^32 + 5 with too little behind', '100000005'],
  ['seventeen f', 'f'.repeat(17)],
  ['a hundred f', 'f'.repeat(100)],
  ['one too small', '4'],
  ['one too large', '6'],
];

const sizes: readonly SmugglingCase[] = [
  ...BROKEN_SIZES.map(([name, line]) => ({
    ...breaks(name, sized(line)),
    // What waits for more bytes takes the probe for them, which must not make it whole.
    ...(name.includes('too little') && { endsEarly: true }),
  })),
  pass('a leading zero', sized('05'), hello),
  pass('seven leading zeros', sized('00000005'), hello),
  either('sixty leading zeros', sized(`${'0'.repeat(60)}5`), hello),
  breaks('ten thousand leading zeros', sized(`${'0'.repeat(10_000)}5`)),
  either('a space after', sized('5 '), hello),
  either('a tab after', sized('5\t'), hello),
  pass('capital digits', chunked(`A\r\n0123456789\r\n${END}`), {
    method: 'POST',
    body: '0123456789',
  }),
  pass('small digits', chunked(`a\r\n0123456789\r\n${END}`), {
    method: 'POST',
    body: '0123456789',
  }),
  pass('one byte each', chunked(`1\r\nh\r\n1\r\ni\r\n${END}`), { method: 'POST', body: 'hi' }),
  pass('nothing but the end', chunked(END), { method: 'POST', body: '' }),
  pass('a last chunk of many zeros', chunked(`5\r\nhello\r\n000000\r\n\r\n`), hello),
  pass(
    'a request inside a chunk',
    chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n${END}`),
    {
      method: 'POST',
      body: SMUGGLED,
    },
  ),
  pass('chunks inside a chunk', chunked(`a\r\n0\r\n\r\n5\r\nxx\r\n${END}`), {
    method: 'POST',
    body: '0\r\n\r\n5\r\nxx',
  }),
];

const extensions: readonly SmugglingCase[] = [
  pass('a name', sized('5;a'), hello),
  pass('a name and value', sized('5;a=b'), hello),
  pass('a quoted value', sized('5;a="b;c"'), hello),
  pass('several', sized('5;a=b;c;d="e"'), hello),
  pass('on the last chunk', chunked('5\r\nhello\r\n0;a=b\r\n\r\n'), hello),
  either('a space before', sized('5 ;a'), hello),
  either('a space after the semicolon', sized('5; a'), hello),
  either('spaces around =', sized('5;a = b'), hello),
  either('nothing behind the semicolon', sized('5;'), hello),
  either('a quoted pair', sized('5;a="\\""'), hello),
  either('a quote that never ends', sized('5;a="b'), hello),
  either('a byte above ASCII', sized('5;a="\xff"'), hello),
  breaks('CRLF in quotes', sized('5;a="\r\n"')),
  breaks('a chunk in quotes over two lines', sized('5;a="\r\n0\r\n\r\n"')),
  breaks('a bare LF', sized('5;a\nb')),
  breaks('a bare LF at the end', chunked(`5;a\nhello\r\n${END}`)),
  breaks('a bare CR', sized('5;a\rb')),
  breaks('a bare CR at the end', chunked(`5;a\rhello\r\n${END}`)),
  breaks('NUL', sized('5;a\0b')),
  breaks('70,000 bytes', sized(`5;${'a'.repeat(70_000)}`)),
  breaks(
    'a thousand of 100 bytes',
    chunked(`${`1;${'a'.repeat(100)}\r\nx\r\n`.repeat(1_000)}${END}`),
  ),
];

const ends: readonly SmugglingCase[] = [
  breaks('a size with a bare LF', chunked(`5\nhello\r\n${END}`)),
  breaks('a size with a bare CR', chunked(`5\rhello\r\n${END}`)),
  breaks('a size with LF CR', chunked(`5\n\rhello\r\n${END}`)),
  breaks('a size with CR CR LF', chunked(`5\r\r\nhello\r\n${END}`)),
  breaks('data with a bare LF', chunked(`5\r\nhello\n${END}`)),
  breaks('data with a bare CR', chunked(`5\r\nhello\r${END}`)),
  breaks('data with CR and a letter', chunked(`5\r\nhello\rX${END}`)),
  breaks('data without an end', chunked(`5\r\nhello${END}`)),
  breaks('two bytes in place of CRLF', chunked(`5\r\nhelloXX${END}`)),
  breaks('an empty line between chunks', chunked(`5\r\nhello\r\n\r\n${END}`)),
  breaks('the last chunk with a bare LF', chunked('5\r\nhello\r\n0\n\r\n')),
  breaks('the last chunk with two bare LF', chunked('5\r\nhello\r\n0\n\n')),
  breaks('the last line a bare LF', chunked('5\r\nhello\r\n0\r\n\n')),
  breaks('the last line a bare CR', chunked('5\r\nhello\r\n0\r\n\r')),
  breaks('no last line', chunked('5\r\nhello\r\n0\r\n')),
  breaks('a byte behind the last chunk', chunked('5\r\nhello\r\n0\r\nX\r\n\r\n')),
  { ...breaks('no last chunk', chunked('5\r\nhello\r\n')), endsEarly: true },
  { ...breaks('half a chunk', chunked('5\r\nhel')), endsEarly: true },
];

const trailing = (lines: string): string => chunked(`5\r\nhello\r\n0\r\n${lines}\r\n`);
const dropped = (name: string, line: string, header?: string): SmugglingCase =>
  pass(name, trailing(`${line}\r\n`), {
    ...{ ...hello, trailers: {} },
    ...(header !== undefined && { headers: { [header]: undefined } }),
  });
/** Parsers that frame by trailers break here; what matters is that nobody behind us may. */
const droppedOrBroken = (name: string, line: string, header?: string): SmugglingCase => {
  const one = dropped(name, line, header);
  return { ...one, outcomes: [...one.outcomes, REFUSED, BROKEN] };
};

const trailers: readonly SmugglingCase[] = [
  droppedOrBroken('a length', 'Content-Length: 50', 'content-length'),
  droppedOrBroken('a coding', 'Transfer-Encoding: gzip'),
  dropped('a host', 'Host: evil.test'),
  dropped('a forwarded address', 'X-Forwarded-For: 6.6.6.6'),
  dropped('a forwarded host', 'X-Forwarded-Host: evil.test'),
  dropped('a forwarded address with underscores', 'X_Forwarded_For: 6.6.6.6'),
  dropped('Forwarded', 'Forwarded: for=6.6.6.6', 'forwarded'),
  dropped('X-Real-IP', 'X-Real-IP: 6.6.6.6', 'x-real-ip'),
  dropped('a request id', 'X-Request-Id: forged-forged'),
  dropped('authorization', 'Authorization: Basic eDp5', 'authorization'),
  dropped('a cookie', 'Cookie: a=b', 'cookie'),
  droppedOrBroken('Connection', 'Connection: close', 'connection'),
  dropped('an upgrade', 'Upgrade: websocket', 'upgrade'),
  dropped('a trailer of trailers', 'Trailer: X-Other'),
  dropped('Expect', 'Expect: 100-continue', 'expect'),
  dropped('Content-Encoding', 'Content-Encoding: gzip', 'content-encoding'),
  dropped('an app header of ours', 'X-Tandem-App: 1', 'x-tandem-app'),
  pass('a sum', trailing('X-Sum: 7\r\n'), { ...hello, trailers: { 'x-sum': '7' } }),
  pass('a sum beside a forged host', trailing('X-Sum: 7\r\nHost: evil.test\r\n'), {
    ...hello,
    trailers: { 'x-sum': '7' },
  }),
  breaks('no colon', trailing('nonsense\r\n')),
  breaks('an empty name', trailing(': x\r\n')),
  breaks('a space before the colon', trailing('X-Sum : 7\r\n')),
  breaks('a bare LF', trailing('X-Sum: 7\nX-Other: 8\r\n')),
  breaks('a bare CR', trailing('X-Sum: 7\rX-Other: 8\r\n')),
  breaks('NUL', trailing('X-Sum: \0\r\n')),
  breaks('a fold', trailing('X-Sum: 7\r\n 8\r\n')),
  breaks('a fold at once', trailing(' X-Sum: 7\r\n')),
  breaks('a request without an end before it', chunked(`0\r\n${SMUGGLED}`)),
  breaks('70,000 bytes', trailing(`X-Sum: ${'7'.repeat(70_000)}\r\n`)),
  breaks('two thousand', trailing('X-Sum: 7\r\n'.repeat(2_000))),
  breaks('in the place of chunks', chunked('X-Sum: 7\r\n\r\n')),
];

export const CHUNK_FAMILIES: readonly SmugglingFamily[] = [
  { name: 'chunk sizes', cases: sizes },
  { name: 'chunk extensions', cases: extensions },
  { name: 'line ends in chunks', cases: ends },
  { name: 'trailers', cases: trailers },
];
