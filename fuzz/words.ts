// Words of HTTP/1.1, and spellings that have been taken for them.

const NAMES = [
  ...['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Expect', 'Upgrade', 'TE'],
  ...['Keep-Alive', 'Proxy-Connection', 'Trailer', 'X-Request-Id', 'X-Forwarded-For', 'Date'],
  ...[
    'X-Forwarded-Host',
    'X_Forwarded_For',
    'Content_Length',
    'Max-Forwards',
    'Cookie',
    'Forwarded',
  ],
  ...['Sec-WebSocket-Key', 'HTTP2-Settings', 'X-Tandem-App', 'Content-Type', 'ETag', 'X'],
];
const VALUES = [
  ...[
    'chunked',
    'identity',
    'gzip',
    'close',
    'keep-alive',
    'upgrade',
    'websocket',
    'h2c',
    'trailers',
  ],
  ...[
    '100-continue',
    'a.test',
    'b.test',
    'a.test:80',
    '[::1]',
    'Content-Length',
    '*',
    'chunked, a',
  ],
];
const LINES = [
  ...NAMES.map((name) => `${name}: `),
  ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n'],
  ...['Host: a.test\r\n', 'Connection: Upgrade\r\nUpgrade: websocket\r\n', '\r\n\r\n', '\r\n'],
];
const STARTS = [
  ...[
    'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
    'http://a.test/',
  ],
  ...['POST /', 'HEAD /', 'OPTIONS *', 'CONNECT a.test:443', 'TRACE /', 'GET http://b.test/x?y'],
  ...['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 204 X\r\n', '304', '101'],
];
const CHUNKS = [
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  '1;a=b\r\n',
  '0\r\nX: y\r\n\r\n',
  ';',
  ' ;',
  'ffffffff\r\n',
];

export const HTTP_WORDS: readonly string[] = [...NAMES, ...VALUES, ...LINES, ...STARTS, ...CHUNKS];
