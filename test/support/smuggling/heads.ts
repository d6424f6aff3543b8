// Header lines: their ends, folds, colons, and names that only we may say.
import {
  either,
  get,
  HOST,
  pass,
  refuse,
  SMUGGLED,
  type SmugglingCase,
  type SmugglingFamily,
} from './case.ts';

const lineEnds: readonly SmugglingCase[] = [
  refuse('LF for every line', 'GET / HTTP/1.1\nHost: a.test\n\n'),
  refuse('LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n`),
  refuse('LF after a header', 'GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n'),
  refuse('LF for the last line', `GET / HTTP/1.1\r\n${HOST}\n`),
  refuse('LF LF for the end', `GET / HTTP/1.1\r\nHost: a.test\n\n`),
  refuse('LF CR LF for the end', `GET / HTTP/1.1\r\nHost: a.test\n\r\n`),
  refuse('CR for every line', 'GET / HTTP/1.1\rHost: a.test\r\r'),
  refuse('CR after the request line', `GET / HTTP/1.1\r${HOST}\r\n`),
  refuse('CR after a header', `GET / HTTP/1.1\r\nHost: a.test\rX: y\r\n\r\n`),
  refuse('CR CR LF after a header', get('X: y\r\r\n')),
  refuse('CR CR LF after the request line', `GET / HTTP/1.1\r\r\n${HOST}\r\n`),
  refuse('LF CR after a header', 'GET / HTTP/1.1\r\nHost: a.test\n\rX: y\r\n\r\n'),
  refuse('CR for the last line', `GET / HTTP/1.1\r\n${HOST}\rX`),
  refuse('a request behind CR', get(`X: y\r\rGET /smuggled HTTP/1.1\r\r`)),
  refuse('a request behind LF', get(`X: y\n\nGET /smuggled HTTP/1.1\n\n`)),
  refuse('next line of C1', get('X: y\x85\nZ: z\r\n')),
  refuse('line separator of Unicode before LF', get('X: y\xe2\x80\xa8\nZ: z\r\n')),
  pass('next line of C1 alone is a byte', get('X: y\x85z\r\n'), { headers: { x: 'y\x85z' } }),
];

const folds: readonly SmugglingCase[] = [
  refuse('with a space', get('X: a\r\n b\r\n')),
  refuse('with a tab', get('X: a\r\n\tb\r\n')),
  refuse('of the first line', 'GET / HTTP/1.1\r\n X: y\r\nHost: a.test\r\n\r\n'),
  refuse('of the host', 'GET / HTTP/1.1\r\nHost: a.test\r\n evil.test\r\n\r\n'),
  refuse(
    'of a host that comes second',
    'GET / HTTP/1.1\r\nX: y\r\n Host: evil.test\r\nHost: a.test\r\n\r\n',
  ),
  refuse('of space alone', get('X: a\r\n \r\n')),
  refuse('of space alone at the end', `GET / HTTP/1.1\r\n${HOST} \r\n\r\n`),
  refuse('of a tab alone at the end', `GET / HTTP/1.1\r\n${HOST}\t\r\n\r\n`),
  refuse('into a request', get('X: a\r\n GET /smuggled HTTP/1.1\r\n')),
];

const colons: readonly SmugglingCase[] = [
  refuse('a space before', get('X : y\r\n')),
  refuse('a tab before', get('X\t: y\r\n')),
  refuse('two spaces before', get('X  : y\r\n')),
  refuse('vertical tab before', get('X\x0b: y\r\n')),
  refuse('a space before that of Host', 'GET / HTTP/1.1\r\nHost : a.test\r\n\r\n'),
  refuse('none', get('nonsense\r\n')),
  refuse('none, with a space', get('X y\r\n')),
  refuse('nothing before it', get(': y\r\n')),
  refuse('a space inside the name', get('X Y: z\r\n')),
  refuse('a name in quotes', get('"X": z\r\n')),
  refuse('a name in brackets', get('[X]: z\r\n')),
  pass('no space after', get('X:y\r\n'), { headers: { x: 'y' } }),
  pass('tabs after', get('X:\t\ty\r\n'), { headers: { x: 'y' } }),
  pass('space behind the value', get('X: y  \t\r\n'), { headers: { x: 'y' } }),
  pass('an empty value', get('X:\r\n'), { headers: { x: '' } }),
  pass('a value of space', get('X:   \r\n'), { headers: { x: '' } }),
  pass('more in the value', get('X: y: z\r\n'), { headers: { x: 'y: z' } }),
  pass('a value that looks like a header', get('X: Host: evil.test\r\n'), {
    headers: { x: 'Host: evil.test', host: 'a.test' },
  }),
  pass('every character of a token', get("!#$%&'*+-.^`|~09azAZ: y\r\n"), {
    headers: { "!#$%&'*+-.^`|~09azaz": 'y' },
  }),
];

const ours: readonly SmugglingCase[] = [
  ...[
    'X-Forwarded-For',
    'X-FORWARDED-FOR',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Port',
    'X-Request-Id',
    'X-Request-Start',
  ].map((name) =>
    pass(`${name} is replaced`, get(`${name}: forged-forged\r\n${name}: forged-twice\r\n`), {
      headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'a.test' },
    }),
  ),
  ...['Forwarded', 'X-Real-IP', 'X-Forwarded-Ssl', 'X-Scheme', 'X-Tandem-Layer'].map((name) =>
    pass(`${name} is dropped`, get(`${name}: forged-forged\r\n`), {
      headers: { [name.toLowerCase()]: undefined },
    }),
  ),
  ...['X_Forwarded_For', 'X_Real_IP', 'Content_Length', 'Host_', '_', 'X-Y_Z'].map((name) =>
    pass(`${name} is dropped`, get(`${name}: 6\r\n`), {
      headers: { [name.toLowerCase()]: undefined, host: 'a.test' },
    }),
  ),
];

const connectionOptions: readonly SmugglingCase[] = [
  ...['Host', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Request-Id'].map((name) =>
    pass(`cannot remove ${name}`, get(`Connection: ${name}\r\n`), {
      headers: { host: 'a.test', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
    }),
  ),
  pass(
    'remove what they name',
    get('Connection: X-Hop, x-Other\r\nX-Hop: 1\r\nX-OTHER: 2\r\nX: 3\r\n'),
    {
      headers: { 'x-hop': undefined, 'x-other': undefined, x: '3' },
    },
  ),
  pass('in several lines', get('Connection: X-A\r\nConnection: X-B\r\nX-A: 1\r\nX-B: 2\r\n'), {
    headers: { 'x-a': undefined, 'x-b': undefined },
  }),
  pass('with empty elements', get('Connection: , ,X-A,,\r\nX-A: 1\r\n'), {
    headers: { 'x-a': undefined },
  }),
  pass(
    'cannot unframe a body by its length',
    `POST / HTTP/1.1\r\n${HOST}Connection: Content-Length\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    { method: 'POST', body: SMUGGLED },
  ),
  pass(
    'cannot unframe a body by its coding',
    `POST / HTTP/1.1\r\n${HOST}Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    { method: 'POST', body: 'hi' },
  ),
  pass(
    'and their companions stay here',
    get('Keep-Alive: timeout=9\r\nProxy-Connection: x\r\nTE: trailers\r\n'),
    {
      headers: { 'keep-alive': undefined, 'proxy-connection': undefined, te: undefined },
    },
  ),
  either('may be nonsense', get('Connection: "x", @;=\r\n'), {}),
  {
    name: 'close: what follows is not read',
    bytes: get('Connection: close\r\n') + SMUGGLED,
    outcomes: [{ kind: 'closed', requests: [{}] }],
  },
  {
    name: 'close among others, in capitals',
    bytes: get('Connection: x, CLOSE\r\n') + SMUGGLED,
    outcomes: [{ kind: 'closed', requests: [{}] }],
  },
  {
    name: 'HTTP/1.0 closes by itself',
    bytes: `GET / HTTP/1.0\r\n${HOST}\r\n${SMUGGLED}`,
    outcomes: [{ kind: 'closed', requests: [{}] }],
  },
];

const sizes: readonly SmugglingCase[] = [
  refuse('a value of 70,000 bytes', get(`X: ${'x'.repeat(70_000)}\r\n`)),
  refuse('a name of 70,000 bytes', get(`${'x'.repeat(70_000)}: y\r\n`)),
  refuse('a value of 70,000 spaces', get(`X: ${' '.repeat(70_000)}y\r\n`)),
  refuse('a target of 70,000 bytes', `GET /${'x'.repeat(70_000)} HTTP/1.1\r\n${HOST}\r\n`),
  refuse('129 headers', get('A: b\r\n'.repeat(128))),
  refuse('ten thousand headers', get('A:\r\n'.repeat(10_000))),
  pass('128 headers', get('A: b\r\n'.repeat(127)), { headers: { host: 'a.test' } }),
];

export const HEAD_FAMILIES: readonly SmugglingFamily[] = [
  { name: 'line ends in the head', cases: lineEnds },
  { name: 'folded lines', cases: folds },
  { name: 'colons', cases: colons },
  { name: 'headers that are ours', cases: ours },
  { name: 'Connection', cases: connectionOptions },
  { name: 'sizes of the head', cases: sizes },
];
