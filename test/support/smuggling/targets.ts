// The request line, the host it is for, and what comes between and behind requests.
import {
  either,
  get,
  HOST,
  pass,
  passed,
  post,
  refuse,
  REFUSED,
  SMUGGLED,
  type SmugglingCase,
  type SmugglingFamily,
  TURNED_AWAY,
} from './case.ts';

const line = (text: string): string => `${text}\r\n${HOST}\r\n`;

const requestLines: readonly SmugglingCase[] = [
  refuse('two spaces before the target', line('GET  / HTTP/1.1')),
  refuse('two spaces before the version', line('GET /  HTTP/1.1')),
  refuse('a space before the method', line(' GET / HTTP/1.1')),
  refuse('a tab before the method', line('\tGET / HTTP/1.1')),
  refuse('a space behind the version', line('GET / HTTP/1.1 ')),
  refuse('a tab for the first space', line('GET\t/ HTTP/1.1')),
  refuse('a tab for the second space', line('GET /\tHTTP/1.1')),
  refuse('vertical tab for a space', line('GET\x0b/ HTTP/1.1')),
  refuse('no-break space for a space', line('GET /\xa0HTTP/1.1')),
  refuse('no target', line('GET HTTP/1.1')),
  refuse('an empty target', line('GET  HTTP/1.1')),
  refuse('a second target', line('GET / /smuggled HTTP/1.1')),
  refuse('a second version', line('GET / HTTP/1.1 HTTP/1.1')),
  refuse('no version', line('GET /')),
  refuse('no version but a space', line('GET / ')),
  refuse('HTTP/0.9', 'GET /\r\n'),
  refuse('HTTP/0.9 by name', line('GET / HTTP/0.9')),
  refuse('http in small letters', line('GET / http/1.1')),
  refuse('HTTP/1.10', line('GET / HTTP/1.10')),
  refuse('HTTP/01.1', line('GET / HTTP/01.1')),
  refuse('HTTP/1.01', line('GET / HTTP/1.01')),
  refuse('HTTP/1', line('GET / HTTP/1')),
  refuse('HTTP/1.', line('GET / HTTP/1.')),
  refuse('HTTP/.1', line('GET / HTTP/.1')),
  refuse('HTTP/1,1', line('GET / HTTP/1,1')),
  refuse('HTTP/1.1x', line('GET / HTTP/1.1x')),
  refuse('HTTP 1.1', line('GET / HTTP 1.1')),
  refuse('HTTP/+1.1', line('GET / HTTP/+1.1')),
  refuse('HTTP/2.0', line('GET / HTTP/2.0')),
  refuse('HTTP/3.0', line('GET / HTTP/3.0')),
  refuse('HTTPS/1.1', line('GET / HTTPS/1.1')),
  refuse('RTSP/1.0', line('GET / RTSP/1.0')),
  refuse('ICE/1.0', line('SOURCE / ICE/1.0')),
  refuse('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  refuse('a request line of ten megabytes begun', `GET /${'x'.repeat(200_000)}`),
  pass('one empty line before', `\r\n${get('')}`, {}),
  pass('two empty lines before', `\r\n\r\n${get('')}`, {}),
  either('a hundred empty lines before', `${'\r\n'.repeat(100)}${get('')}`, {}),
  either('a bare LF before', `\n${get('')}`, {}),
  refuse('a space line before', ` \r\n${get('')}`),
  refuse('NUL before', `\0${get('')}`),
  refuse('a byte order mark before', `\xef\xbb\xbf${get('')}`),
];

const methods: readonly SmugglingCase[] = [
  ...['SMUGGLE', 'get', 'Get', 'GETT', 'QUERY', 'PROPFIND', 'M-SEARCH', 'X', "!#$%&'*+-.^_`|~"].map(
    (method) => pass(`${method} is forwarded`, line(`${method} / HTTP/1.1`), { method }),
  ),
  pass('32 bytes are forwarded', line(`${'X'.repeat(32)} / HTTP/1.1`), { method: 'X'.repeat(32) }),
  pass(
    'an unknown one with a body',
    `SMUGGLE / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
    {
      ...{ method: 'SMUGGLE', body: 'hello' },
    },
  ),
  refuse('33 bytes', line(`${'X'.repeat(33)} / HTTP/1.1`)),
  refuse('10,000 bytes', line(`${'X'.repeat(10_000)} / HTTP/1.1`)),
  refuse('CONNECT', `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`),
  refuse('CONNECT with a path', line('CONNECT / HTTP/1.1')),
  refuse('none', line('/ HTTP/1.1')),
  ...[
    'G/T',
    'G(T',
    'G"T',
    'G:T',
    'G@T',
    'G[T',
    'G{T',
    'G\\T',
    'G,T',
    'G;T',
    'G=T',
    'G\0T',
    'G\x7fT',
    'G\x80T',
  ].map((method) => refuse(`with byte ${method.charCodeAt(1)}`, line(`${method} / HTTP/1.1`))),
];

const at = (target: string): string => line(`GET ${target} HTTP/1.1`);
const unchanged = (target: string): SmugglingCase =>
  pass(`${target} stays`, at(target), { target });

const targets: readonly SmugglingCase[] = [
  ...[
    '/%00',
    '/%0d%0aHost:%20evil.test',
    '/%0D%0A%0D%0AGET%20/',
    '/%',
    '/%zz',
    '/a%2f..%2fb',
    '/../..',
    '/./x',
  ].map(unchanged),
  ...[
    '//evil.test/x',
    '//',
    '/http://evil.test/',
    '/x?y=http://evil.test',
    '/?',
    '/x;y=z',
    '/:80',
    '/@evil.test',
    '/*',
  ].map(unchanged),
  ...['/"', '/<', '/>', '/^', '/`', '/{', '/|', '/}'].map((target) =>
    either(`${target} is no URI`, at(target), { target }),
  ),
  refuse('a bare name', at('a.test')),
  refuse('a query alone', at('?x')),
  refuse('an asterisk on GET', at('*')),
  refuse('an asterisk and more', line('OPTIONS */x HTTP/1.1')),
  refuse('a fragment', at('/x#y')),
  refuse('a backslash', at('/x\\y')),
  refuse('a backslash first', at('\\x')),
  refuse('DEL', at('/\x7f')),
  refuse('a byte above ASCII', at('/\xe4')),
  refuse('UTF-8', at('/\xc3\xa4')),
  refuse('a bare CR', at('/x\ry')),
  refuse('a bare LF', at('/x\ny')),
  refuse('NUL', at('/x\0y')),
  pass('an asterisk on OPTIONS', line('OPTIONS * HTTP/1.1'), { method: 'OPTIONS', target: '*' }),
];

const absolute = (target: string, host = HOST): string => `GET ${target} HTTP/1.1\r\n${host}\r\n`;
const absoluteTargets: readonly SmugglingCase[] = [
  pass('becomes a path', absolute('http://a.test/x?y'), {
    target: '/x?y',
    headers: { host: 'a.test' },
  }),
  pass('wins over another Host', absolute('http://b.test/x'), {
    target: '/x',
    headers: { host: 'b.test', 'x-forwarded-host': 'b.test' },
  }),
  pass('in capitals', absolute('HTTP://A.test/x'), { target: '/x' }),
  pass('without a path', absolute('http://a.test'), { target: '/' }),
  pass('with a query and no path', absolute('http://a.test?x'), { target: '/?x' }),
  pass('with a port', absolute('http://a.test:80/x'), { target: '/x' }),
  pass('of https', absolute('https://a.test/x'), { target: '/x' }),
  refuse('without a Host', absolute('http://a.test/x', '')),
  refuse('with two Hosts', absolute('http://a.test/x', HOST + HOST)),
  refuse('with a user', absolute('http://user@a.test/x')),
  refuse('with a user and password', absolute('http://user:password@a.test/x')),
  refuse('with a host for a user', absolute('http://a.test:80@evil.test/x')),
  refuse('without a host', absolute('http:///x')),
  refuse('with a port alone', absolute('http://:80/x')),
  refuse('with a port that is no number', absolute('http://a.test:x/x')),
  refuse('with a backslash', absolute('http://a.test\\@evil.test/x')),
  refuse('with a fragment', absolute('http://a.test/x#y')),
  refuse('with one slash', absolute('http:/a.test/x')),
  refuse('without slashes', absolute('http:a.test')),
  refuse('with a scheme alone', absolute('http://')),
  refuse('of ftp', absolute('ftp://a.test/x')),
  refuse('of file', absolute('file:///etc/passwd')),
  refuse('of javascript', absolute('javascript:x')),
  { name: 'of an unknown host', bytes: absolute('http://evil.test/x'), outcomes: [TURNED_AWAY] },
];

const hosted = (value: string): string => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`;
const hosts: readonly SmugglingCase[] = [
  ...[
    ' a.test/x',
    ' a.test, b.test',
    ' a.test b.test',
    ' user@a.test',
    ' a.test:x',
    ' a.test:80:80',
    ' a.test?x',
    ' a.test#x',
    ' a.test\\',
    ' http://a.test',
    ' [::1',
    ' a.test\0',
    ' \x0ba.test',
    ' a.test:-1',
    ' a.test:+80',
  ].map((value) => refuse(`${JSON.stringify(value)}`, hosted(value))),
  ...[
    '',
    ' ',
    ' evil.test',
    ' <b>',
    ' ..',
    ' .a.test',
    ' [::1]',
    ' 127.0.0.1',
    ' a%2etest',
    ' \xe4.test',
  ].map((value) => ({
    name: `${JSON.stringify(value)} is nobody here`,
    bytes: hosted(value),
    outcomes: [TURNED_AWAY, REFUSED],
  })),
  refuse('missing', 'GET / HTTP/1.1\r\nX: y\r\n\r\n'),
  refuse('missing in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'),
  refuse('twice', `GET / HTTP/1.1\r\n${HOST}Host: b.test\r\n\r\n`),
  refuse('twice, equal', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`),
  refuse('twice, in other case', `GET / HTTP/1.1\r\n${HOST}HOST: b.test\r\n\r\n`),
  refuse('twice, one empty', `GET / HTTP/1.1\r\nHost:\r\n${HOST}\r\n`),
  pass('in capitals', hosted(' A.TEST'), { headers: { host: 'A.TEST' } }),
  pass('with a port', hosted(' a.test:8080'), { headers: { host: 'a.test:8080' } }),
  either('with a port above 65535', hosted(' a.test:99999'), {}),
  pass('with an empty port', hosted(' a.test:'), {}),
  pass('with a dot behind', hosted(' a.test.'), {}),
  pass('with space around', hosted('  \t a.test \t'), { headers: { host: 'a.test' } }),
];

const between: readonly SmugglingCase[] = [
  pass('two requests', get('') + SMUGGLED, {}, { target: '/smuggled' }),
  pass(
    'a request behind a body',
    post('Content-Length: 3\r\n', 'abc') + SMUGGLED,
    { method: 'POST', body: 'abc' },
    { target: '/smuggled' },
  ),
  pass(
    'an empty line behind a body',
    post('Content-Length: 3\r\n', 'abc\r\n') + SMUGGLED,
    { method: 'POST', body: 'abc' },
    { target: '/smuggled' },
  ),
  ...[
    ['garbage behind a request', `${get('')}GARBAGE\r\n\r\n`, {}],
    [
      'garbage behind a body',
      `${post('Content-Length: 3\r\n', 'abc')}GARBAGE\r\n\r\n`,
      { method: 'POST', body: 'abc' },
    ],
    [
      'a body longer than it says',
      post('Content-Length: 3\r\n', 'abcdef\r\n\r\n'),
      { method: 'POST', body: 'abc' },
    ],
    ['a body that was not announced', post('', 'x=1&y=2\r\n\r\n'), { method: 'POST' }],
    [
      'bytes behind the last chunk',
      `${post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n')}X\r\n\r\n`,
      { method: 'POST' },
    ],
    [
      'a refused request behind one',
      `${get('')}GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n`,
      {},
    ],
  ].map(([name, bytes, request]) => ({
    name: name as string,
    bytes: bytes as string,
    outcomes: [
      { kind: 'refused', after: [request as object] },
      { kind: 'closed', requests: [request as object] },
    ] as const,
  })),
];

const expectations: readonly SmugglingCase[] = [
  ...['100-continue', '100-Continue', ' 100-CONTINUE '].map((value) =>
    pass(
      `${value} with the body behind it`,
      post(`Expect: ${value}\r\nContent-Length: 5\r\n`, 'hello'),
      {
        ...{ method: 'POST', body: 'hello' },
      },
    ),
  ),
  pass(
    'with chunks behind it',
    post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'),
    { method: 'POST', body: 'hi' },
  ),
  pass('without a body', get('Expect: 100-continue\r\n'), {}),
  either('an unknown one', post('Expect: x\r\nContent-Length: 5\r\n', 'hello'), {
    method: 'POST',
    body: 'hello',
  }),
  either(
    'twice',
    post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n', 'hello'),
    { method: 'POST', body: 'hello' },
  ),
  either('in a list', post('Expect: 100-continue, x\r\nContent-Length: 5\r\n', 'hello'), {
    method: 'POST',
    body: 'hello',
  }),
  {
    name: 'in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
    outcomes: [{ kind: 'closed', requests: [{ method: 'POST', body: 'hello' }] }],
  },
];

const gone = { upgrade: undefined, 'http2-settings': undefined };
const upgrades: readonly SmugglingCase[] = [
  pass(
    'h2c',
    get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'),
    { headers: gone },
  ),
  pass(
    'h2c with a body',
    post(
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 5\r\n',
      'hello',
    ),
    { method: 'POST', body: 'hello', headers: gone },
  ),
  pass('h2c not named in Connection', get('Upgrade: h2c\r\n'), { headers: gone }),
  pass('TLS/1.0', get('Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n'), { headers: gone }),
  pass('Connection alone', get('Connection: Upgrade\r\n'), { headers: gone }),
  pass(
    'WebSocket on a POST',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n', 'hello'),
    { method: 'POST', body: 'hello', headers: gone },
  ),
  {
    name: 'WebSocket in HTTP/1.0',
    bytes: `GET / HTTP/1.0\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    outcomes: [
      REFUSED,
      passed({ headers: gone }),
      { kind: 'closed', requests: [{ headers: gone }] },
    ],
  },
  {
    name: 'WebSocket that the app ignores: what follows is no request',
    bytes: get(
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
    ),
    outcomes: [{ kind: 'closed', requests: [{}] }, passed({})],
  },
];

export const TARGET_FAMILIES: readonly SmugglingFamily[] = [
  { name: 'request lines', cases: requestLines },
  { name: 'methods', cases: methods },
  { name: 'targets', cases: targets },
  { name: 'absolute targets', cases: absoluteTargets },
  { name: 'Host', cases: hosts },
  { name: 'between and behind requests', cases: between },
  { name: 'Expect', cases: expectations },
  { name: 'Upgrade', cases: upgrades },
];
