// Answers of an app that is broken or hostile, and what a client may be given for them. One request
// follows on the client's connection and one from another client: both get their own answers.

export type AnswerOutcome =
  | { readonly kind: 'bad gateway' }
  /** The head went out and the rest cannot: no client may take it for whole. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'passed'; readonly answer: ExpectedAnswer };

export interface ExpectedAnswer {
  /** 200, unless said. */
  readonly status?: number;
  /** `ok`, unless said. */
  readonly body?: string;
  /** By name in lower case; `undefined`: must not be there. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** All of them. */
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface AnswerCase {
  readonly name: string;
  /** Latin1; written in this order, a moment apart. */
  readonly parts: readonly string[];
  /** The app closes behind the last part. */
  readonly closes?: boolean;
  /** GET, unless said; a POST has a body of a megabyte. */
  readonly method?: string;
  readonly outcomes: readonly AnswerOutcome[];
}

export interface AnswerFamily {
  readonly name: string;
  readonly cases: readonly AnswerCase[];
}

const BAD: AnswerOutcome = { kind: 'bad gateway' };
const CUT: AnswerOutcome = { kind: 'cut' };
const passed = (answer: ExpectedAnswer = {}): AnswerOutcome => ({ kind: 'passed', answer });

type How = Omit<Partial<AnswerCase>, 'name' | 'parts' | 'outcomes'>;

const refuse = (name: string, bytes: string, how: How = {}): AnswerCase => ({
  ...{ name, parts: [bytes], outcomes: [BAD], ...how },
});
const pass = (name: string, bytes: string, answer?: ExpectedAnswer, how: How = {}): AnswerCase => ({
  ...{ name, parts: [bytes], outcomes: [passed(answer)], ...how },
});
const either = (
  name: string,
  bytes: string,
  answer?: ExpectedAnswer,
  how: How = {},
): AnswerCase => ({
  ...{ name, parts: [bytes], outcomes: [BAD, passed(answer)], ...how },
});
/** The head may or may not have gone out when it shows. */
const breaks = (name: string, bytes: string, how: How = {}): AnswerCase => ({
  ...{ name, parts: [bytes], outcomes: [BAD, CUT], ...how },
});

const OK = 'HTTP/1.1 200 OK\r\n';
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const CODED = 'Transfer-Encoding: chunked\r\n';
const closes = { closes: true };
const plain = (headers: string, body = 'ok'): string =>
  `${OK}${headers}Content-Length: 2\r\n\r\n${body}`;
const chunked = (body: string): string => `${OK}${CODED}\r\n${body}`;
const lengthIs = (value: string, body = 'ok'): string =>
  `${OK}Content-Length:${value}\r\n\r\n${body}`;
const codedAs = (value: string): string =>
  `${OK}Transfer-Encoding:${value}\r\n\r\n2\r\nok\r\n0\r\n\r\n`;

const framing: readonly AnswerCase[] = [
  either('length, then coding', `${OK}Content-Length: 2\r\n${CODED}\r\n2\r\nok\r\n0\r\n\r\n`, {
    headers: { 'content-length': undefined },
  }),
  either('coding, then length', `${OK}${CODED}Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`, {
    headers: { 'content-length': undefined },
  }),
  either(
    'a length that hides an answer',
    `${OK}Content-Length: 5\r\n${CODED}\r\n0\r\n\r\n${EVIL}`,
    { body: '' },
  ),
  refuse('two lengths that differ', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`),
  either('two equal lengths', `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`, {
    headers: { 'content-length': '2' },
  }),
  either('a list of equal lengths', lengthIs(' 2, 2'), { headers: { 'content-length': '2' } }),
  either('a leading zero', lengthIs(' 02'), { headers: { 'content-length': '2' } }),
  ...[
    ' 2, 3',
    ' +2',
    ' -2',
    ' 0x2',
    ' 2x',
    ' 2 2',
    ' 2.0',
    ' \xb2',
    '',
    ' 99999999999999999999',
    ' 2\x0b',
  ].map((value) => refuse(`a length of ${JSON.stringify(value)}`, lengthIs(value))),
  ...[
    ' gzip',
    ' gzip, chunked',
    ' chunked, gzip',
    ' chunked, chunked',
    ' identity',
    ' xchunked',
    ' \x0bchunked',
    ' "chunked"',
    '',
  ].map((value) => breaks(`a coding of ${JSON.stringify(value)}`, codedAs(value), closes)),
  breaks('two codings', `${OK}${CODED}${CODED}\r\n2\r\nok\r\n0\r\n\r\n`),
  refuse(
    'a coding with a space before the colon',
    `${OK}Transfer-Encoding : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  ),
  {
    ...pass(
      'a coding in HTTP/1.0',
      `HTTP/1.0 200 OK\r\n${CODED}\r\n2\r\nok\r\n0\r\n\r\n`,
      {},
      closes,
    ),
    outcomes: [BAD, CUT, passed()],
  },
  pass('a coding in capitals', codedAs(' CHUNKED')),
  pass('no length in HTTP/1.1', `${OK}\r\nok`, {}, closes),
  pass('no length in HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok', {}, closes),
  pass(
    'HTTP/1.0 that keeps alive',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
  ),
  pass('HTTP/1.0 with a length', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', {}, closes),
  pass('no length and no body', `${OK}\r\n`, { body: '' }, closes),
];

const bodies: readonly AnswerCase[] = [
  breaks('shorter than its length', lengthIs(' 5', 'half'), closes),
  breaks('much shorter than its length', lengthIs(' 200000', 'x'.repeat(100_000)), closes),
  pass('longer than its length', lengthIs(' 2', 'okevil')),
  pass('longer by an answer', lengthIs(' 2', `ok${EVIL}`)),
  pass('longer by an answer, a length of zero', lengthIs(' 0', EVIL), { body: '' }),
  { ...pass('longer by an answer that comes later', ''), parts: [lengthIs(' 2'), EVIL] },
  { ...pass('longer by many answers', ''), parts: [lengthIs(' 2'), EVIL.repeat(20), EVIL] },
  pass('chunks, then an answer', chunked(`2\r\nok\r\n0\r\n\r\n${EVIL}`)),
  pass('chunks with extensions', chunked('2;a=b\r\nok\r\n0;c\r\n\r\n')),
  pass('chunks with a trailer', chunked('2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n'), {
    trailers: { 'x-sum': '7' },
  }),
  ...['Content-Length: 50', 'Transfer-Encoding: gzip', 'Connection: close'].map((line) => ({
    ...pass(`chunks with the trailer ${line}`, chunked(`2\r\nok\r\n0\r\n${line}\r\n\r\n`), {
      trailers: {},
    }),
    outcomes: [BAD, CUT, passed({ trailers: {} })],
  })),
  ...['Set-Cookie: a=b', 'Host: evil.test', 'Cache-Control: public'].map((line) =>
    pass(`chunks with the trailer ${line}`, chunked(`2\r\nok\r\n0\r\n${line}\r\n\r\n`), {
      trailers: {},
    }),
  ),
  ...[
    'zz\r\nok\r\n0\r\n\r\n',
    '-2\r\nok\r\n0\r\n\r\n',
    '0x2\r\nok\r\n0\r\n\r\n',
    '3\r\nok\r\n0\r\n\r\n',
    '1\r\nok\r\n0\r\n\r\n',
    '2\nok\n0\n\n',
    '2\r\nok\n0\r\n\r\n',
    '2\r\nok0\r\n\r\n',
    '2;\n\r\nok\r\n0\r\n\r\n',
    '10000000000000002\r\nok\r\n0\r\n\r\n',
    '2\r\nok\r\n0\r\nno colon\r\n\r\n',
    '2\r\nok\r\n0\r\nX: \0\r\n\r\n',
    '2\r\nok\r\n0\r\nX: a\n\n',
    '2\r\nok\r\n',
    '2\r\nok\r\n0\r\n',
    '5\r\nok',
    '',
  ].map((body) => breaks(`chunks ${JSON.stringify(body)}`, chunked(body), closes)),
];

const bodiless: readonly AnswerCase[] = [
  pass('204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '' }),
  either('204 with a coding', `HTTP/1.1 204 No Content\r\n${CODED}\r\n0\r\n\r\n`, {
    status: 204,
    body: '',
    headers: { 'transfer-encoding': undefined },
  }),
  either('204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil', {
    status: 204,
    body: '',
    headers: { 'content-length': undefined },
  }),
  either('204 with an answer behind', `HTTP/1.1 204 No Content\r\n\r\n${EVIL}`, {
    status: 204,
    body: '',
  }),
  pass('304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n', {
    status: 304,
    body: '',
  }),
  pass(
    '304 with a length and a body',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil',
    { status: 304, body: '' },
  ),
  pass('304 with a coding', `HTTP/1.1 304 Not Modified\r\n${CODED}\r\n`, { status: 304, body: '' }),
  pass('304 with an answer behind', `HTTP/1.1 304 Not Modified\r\n\r\n${EVIL}`, {
    status: 304,
    body: '',
  }),
  pass(
    'HEAD with a length',
    plain('', ''),
    { body: '', headers: { 'content-length': '2' } },
    { method: 'HEAD' },
  ),
  pass('HEAD with a length and a body', plain(''), { body: '' }, { method: 'HEAD' }),
  pass(
    'HEAD with an answer for a body',
    lengthIs(` ${EVIL.length}`, EVIL),
    { body: '' },
    { method: 'HEAD' },
  ),
  pass('HEAD with a coding', `${OK}${CODED}\r\n`, { body: '' }, { method: 'HEAD' }),
  pass(
    'HEAD with a coding and chunks',
    chunked('2\r\nok\r\n0\r\n\r\n'),
    { body: '' },
    { method: 'HEAD' },
  ),
  pass('HEAD without a length', `${OK}\r\n`, { body: '' }, { method: 'HEAD' }),
];

const EARLY = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n';
const informational: readonly AnswerCase[] = [
  pass('100 nobody waits for', `HTTP/1.1 100 Continue\r\n\r\n${plain('')}`),
  pass('102', `HTTP/1.1 102 Processing\r\n\r\n${plain('')}`),
  pass('103', EARLY + plain('')),
  pass('199', `HTTP/1.1 199 Odd\r\nX: y\r\n\r\n${plain('')}`),
  pass('ten of them', EARLY.repeat(10) + plain('')),
  either('two thousand of them', EARLY.repeat(2_000) + plain('')),
  either('a length in 103', `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${plain('')}`),
  either('a coding in 100', `HTTP/1.1 100 Continue\r\n${CODED}\r\n${plain('')}`),
  breaks('102 and no more', 'HTTP/1.1 102 Processing\r\n\r\n', closes),
  refuse(
    '101 nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ),
  refuse('101 without a name', `HTTP/1.1 101 Switching Protocols\r\n\r\n${EVIL}`),
  refuse(
    '101 to h2c',
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n${EVIL}`,
  ),
];

const heads: readonly AnswerCase[] = [
  refuse('LF for every line', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
  refuse('LF after the status line', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok'),
  refuse('LF after a header', plain('X: y\n')),
  refuse('LF for the last line', `${OK}Content-Length: 2\r\n\nok`),
  refuse('CR after a header', `${OK}X: y\rContent-Length: 2\r\n\r\nok`),
  refuse('CR CR LF after a header', plain('X: y\r\r\n')),
  refuse('NUL in a value', plain('X: a\0b\r\n')),
  refuse('NUL in a name', plain('X\0: y\r\n')),
  refuse('an empty name', plain(': y\r\n')),
  refuse('no colon', plain('nonsense\r\n')),
  refuse('a space in a name', plain('X Y: z\r\n')),
  either('a fold', plain('X: a\r\n b\r\n'), { headers: { x: 'a b' } }),
  either('a fold into a header', plain('X: a\r\n Set-Cookie: b\r\n'), {
    headers: { x: 'a Set-Cookie: b', 'set-cookie': undefined },
  }),
  refuse('a fold at once', `${OK} X: y\r\nContent-Length: 2\r\n\r\nok`),
  either('a space before the colon', plain('X : y\r\n'), { headers: { x: 'y' } }),
  pass('other alphabets', plain('X: \xc3\xa4\xff\r\n'), { headers: { x: '\xc3\xa4\xff' } }),
  pass(
    'hop-by-hop headers',
    plain(
      'Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2\r\n',
    ),
    {
      headers: { 'x-hop': undefined, 'proxy-authenticate': undefined, upgrade: undefined },
    },
  ),
  refuse('80,000 bytes', plain(`X: ${'x'.repeat(80_000)}\r\n`)),
  refuse('ten thousand headers', plain('A: b\r\n'.repeat(10_000))),
  refuse('garbage', 'what is this\r\n\r\n'),
  refuse('nothing', '', closes),
  refuse('half a status line', 'HTTP/1.1 20', closes),
  refuse('half a head', `${OK}Content-Length: 2\r\n`, closes),
  refuse('an answer without a head', 'ok', closes),
  refuse('TLS', '\x15\x03\x01\x00\x02\x02\x46', closes),
  refuse('the settings of HTTP/2', '\0\0\0\x04\0\0\0\0\0', closes),
];

const status = (line: string): string => `${line}\r\nContent-Length: 2\r\n\r\nok`;
const statusLines: readonly AnswerCase[] = [
  pass('no reason', status('HTTP/1.1 200 ')),
  either('no reason and no space', status('HTTP/1.1 200')),
  pass('a long reason', status(`HTTP/1.1 200 ${'x'.repeat(200)}`)),
  either('a reason in another alphabet', status('HTTP/1.1 200 \xe4')),
  pass('a status nobody knows', status('HTTP/1.1 299 Odd'), { status: 299 }),
  pass('599', status('HTTP/1.1 599 Odd'), { status: 599 }),
  ...[
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 abc OK',
    'HTTP/1.1 -20 OK',
    'HTTP/1.1 000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/2.0 200 OK',
    'HTTP/0.9 200 OK',
    'HTTP/1.10 200 OK',
    'http/1.1 200 OK',
    'HTTPS/1.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    'HTTP/1.1 200 a\0b',
    'HTTP/1.1 200 a\rb',
    'GET / HTTP/1.1',
  ].map((line) => refuse(JSON.stringify(line), status(line))),
  either('two spaces', status('HTTP/1.1  200 OK')),
  either('an empty line before', `\r\n${status('HTTP/1.1 200 OK')}`),
];

const timing: readonly AnswerCase[] = [
  pass(
    'before the body was sent',
    `HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok`,
    { status: 413 },
    { method: 'POST', closes: true },
  ),
  pass(
    'before the body was sent, and open',
    `HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nok`,
    { status: 413 },
    { method: 'POST' },
  ),
  { ...pass('a byte at a time', ''), parts: [...plain('X: y\r\n')] },
  {
    ...pass('chunks a byte at a time', ''),
    parts: [...chunked('1;a=b\r\no\r\n1\r\nk\r\n0\r\n\r\n')],
  },
  {
    ...pass('in the middle of CRLF CRLF', ''),
    parts: [`${OK}Content-Length: 2\r`, '\n\r', '\nok'],
  },
];

export const ANSWER_FAMILIES: readonly AnswerFamily[] = [
  { name: 'framing of an answer', cases: framing },
  { name: 'body of an answer', cases: bodies },
  { name: 'answer without a body', cases: bodiless },
  { name: 'informational answer', cases: informational },
  { name: 'head of an answer', cases: heads },
  { name: 'status line', cases: statusLines },
  { name: 'timing of an answer', cases: timing },
];
