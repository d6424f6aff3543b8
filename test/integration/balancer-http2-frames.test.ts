// What RFC 9113 (and RFC 7541 below it) asks of a server, in frames. After a mistake that concerns one
// stream the connection answers the next request; after one that concerns all it ends, with a reason.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestBalancer } from '../support/balancer-server.ts';
import {
  block,
  type Fields,
  Flag,
  Frame,
  FrameClient,
  GET,
  POST,
  setting,
  uint32,
} from '../support/http2-frames.ts';
import { ScriptedApp } from '../support/scripted-app.ts';
import { makeCertificate } from '../support/tls-client.ts';

let balancer: TestBalancer;
let app: ScriptedApp;
let client: FrameClient;

beforeAll(async () => {
  app = await ScriptedApp.start();
  balancer = new TestBalancer({ limits: { streamResetBurst: 50, streamResetsPerSecond: 1 } });
  balancer.shelf.set([await makeCertificate(['a.test'])]);
  await balancer.listenTls();
  balancer.to([app.upstream]);
});

afterAll(async () => {
  await balancer.close();
  await app.close();
});

beforeEach(async () => {
  app.requests.length = 0;
  client = await FrameClient.open(balancer.tlsPort);
});

afterEach(() => client.close());

type Act = (client: FrameClient) => void;

const END = Flag.endStream;
const HEADERS_END = Flag.endStream | Flag.endHeaders;
const with_ = (...fields: Fields): Fields => [...GET, ...fields];
const without = (name: string): Fields => GET.filter(([key]) => key !== name);
const replaced = (name: string, value: string): Fields =>
  GET.map(([key, old]) => [key, key === name ? value : old]);

describe('a mistake that ends the connection', () => {
  const cases: readonly (readonly [what: string, act: Act, ends: RegExp])[] = [
    // Section 4: frames
    ['a frame over the size announced', (c) => c.data(1, 'x'.repeat(16_385)), /frameSize/],
    ['a frame of a stream that is over 16 MB', (c) => c.write('\xff\xff\xff\x00\x00\x00\x00\x00\x01'), /frameSize|protocol/],
    ['a field block that cannot be decoded', (c) => c.send(Frame.headers, HEADERS_END, 1, '\xff\xff\xff\xff\xff\xff'), /compression/],
    ['an index of no entry', (c) => c.send(Frame.headers, HEADERS_END, 1, '\xbf\xc0'), /compression/],
    ['index 0', (c) => c.send(Frame.headers, HEADERS_END, 1, '\x80'), /compression/],
    ['a literal that is cut short', (c) => c.send(Frame.headers, HEADERS_END, 1, '\x00\x05ab'), /compression/],
    ['a table larger than allowed', (c) => c.send(Frame.headers, HEADERS_END, 1, '\x3f\xff\xff\x03'), /compression/],
    ['Huffman with the code of the end', (c) => c.send(Frame.headers, HEADERS_END, 1, '\x00\x84\xff\xff\xff\xff\x00'), /compression/],
    // Section 5.1: states
    ['DATA of a stream that is idle', (c) => c.data(1, 'x'), /protocol|streamClosed/],
    ['RST_STREAM of one that is idle', (c) => c.send(Frame.reset, 0, 1, uint32(8)), /protocol/],
    ['WINDOW_UPDATE of one that is idle', (c) => c.send(Frame.windowUpdate, 0, 1, uint32(1)), /protocol/],
    ['a stream of even number', (c) => c.headers(2, GET), /protocol/],
    ['HEADERS of a request that ended', (c) => { c.headers(1, GET); c.headers(1, GET); }, /streamClosed|protocol/],
    // Section 6.1: DATA
    ['DATA of the connection', (c) => c.data(0, 'x'), /protocol/],
    ['padding as long as the DATA', (c) => { c.headers(1, POST, 0); c.send(Frame.data, Flag.padded, 1, '\x06abcde'); }, /protocol/],
    // Section 6.2: HEADERS
    ['HEADERS of the connection', (c) => c.headers(0, GET), /protocol/],
    ['padding longer than the HEADERS', (c) => c.send(Frame.headers, HEADERS_END | Flag.padded, 1, '\xff\x00'), /protocol/],
    // Section 6.3: PRIORITY
    // Section 6.4: RST_STREAM
    ['RST_STREAM of the connection', (c) => c.send(Frame.reset, 0, 0, uint32(8)), /protocol/],
    ['RST_STREAM of three bytes', (c) => { c.headers(1, POST, 0); c.send(Frame.reset, 0, 1, 'abc'); }, /frameSize/],
    // Section 6.5: SETTINGS
    ['SETTINGS of a stream', (c) => c.send(Frame.settings, 0, 1), /protocol/],
    ['SETTINGS of five bytes', (c) => c.send(Frame.settings, 0, 0, 'abcde'), /frameSize/],
    ['an acknowledgement that says something', (c) => c.send(Frame.settings, Flag.ack, 0, setting(4, 1)), /frameSize/],
    ['ENABLE_PUSH of 2', (c) => c.send(Frame.settings, 0, 0, setting(2, 2)), /protocol/],
    ['a window over 2^31-1', (c) => c.send(Frame.settings, 0, 0, setting(4, 2 ** 31)), /flowControl/],
    ['MAX_FRAME_SIZE below 16384', (c) => c.send(Frame.settings, 0, 0, setting(5, 16_383)), /protocol/],
    ['MAX_FRAME_SIZE over 2^24-1', (c) => c.send(Frame.settings, 0, 0, setting(5, 2 ** 24)), /protocol/],
    ['a window that overflows by SETTINGS', (c) => { c.headers(1, POST, 0); c.send(Frame.windowUpdate, 0, 1, uint32(2 ** 31 - 1 - 65_535)); c.send(Frame.settings, 0, 0, setting(4, 2 ** 31 - 1)); }, /flowControl/],
    // Section 6.6: PUSH_PROMISE
    ['PUSH_PROMISE', (c) => { c.headers(1, POST, 0); c.send(Frame.pushPromise, Flag.endHeaders, 1, Buffer.concat([uint32(2), block(GET)])); }, /protocol/],
    // Section 6.7: PING
    ['PING of a stream', (c) => c.send(Frame.ping, 0, 1, '12345678'), /protocol/],
    ['an acknowledgement of no PING', (c) => c.send(Frame.ping, Flag.ack, 0, '12345678'), /internal/],
    ['PING of seven bytes', (c) => c.send(Frame.ping, 0, 0, '1234567'), /frameSize/],
    // Section 6.8: GOAWAY
    ['GOAWAY of a stream', (c) => c.send(Frame.goaway, 0, 1, '\0'.repeat(8)), /protocol/],
    // Section 6.9: WINDOW_UPDATE
    ['WINDOW_UPDATE of three bytes', (c) => c.send(Frame.windowUpdate, 0, 0, 'abc'), /frameSize/],
    ['an increment of 0 for the connection', (c) => c.send(Frame.windowUpdate, 0, 0, uint32(0)), /protocol/],
    ['a window of the connection over 2^31-1', (c) => c.send(Frame.windowUpdate, 0, 0, uint32(2 ** 31 - 1)), /flowControl/],
    // Section 6.10: CONTINUATION
    ['CONTINUATION of nothing', (c) => c.send(Frame.continuation, Flag.endHeaders, 1, block(GET)), /protocol/],
    ['CONTINUATION behind the end', (c) => { c.headers(1, GET); c.send(Frame.continuation, Flag.endHeaders, 1, ''); }, /protocol/],
    ['CONTINUATION of another stream', (c) => { c.send(Frame.headers, END, 1, block(GET)); c.send(Frame.continuation, Flag.endHeaders, 3, ''); }, /protocol/],
    ['a frame inside a field block', (c) => { c.send(Frame.headers, END, 1, block(GET)); c.send(Frame.ping, 0, 0, '12345678'); }, /protocol/],
    ['an unknown frame inside a field block', (c) => { c.send(Frame.headers, END, 1, block(GET)); c.send(0xfa, 0, 0, ''); }, /protocol/],
    // Section 10.5: what costs too much
    ['CONTINUATION without end', (c) => { c.send(Frame.headers, END, 1, block(GET)); for (let n = 0; n < 5_000; n += 1) c.send(Frame.continuation, 0, 1, block([[`x-${n}`, 'y'.repeat(100)]])); }, /enhanceYourCalm|protocol|internal|closed/],
    ['empty CONTINUATION without end', (c) => { c.send(Frame.headers, END, 1, block(GET)); for (let n = 0; n < 5_000; n += 1) c.send(Frame.continuation, 0, 1, ''); }, /enhanceYourCalm|protocol|internal|closed/],
    ['requests taken back at once, for ever', (c) => { for (let n = 1; n < 2_000; n += 2) { c.headers(n, GET); c.send(Frame.reset, 0, n, uint32(8)); } }, /enhanceYourCalm|protocol|internal|closed/],
  ]; // prettier-ignore

  it.each(cases)('is %s', async (_, act, ends) => {
    act(client);
    expect(await client.lastWord()).toMatch(ends);
    await expect.poll(() => client.isClosed, { timeout: 5_000 }).toBe(true);
    expect(balancer.logged).toEqual([]);
  });

  it.each([
    ['other words', 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n'],
    [
      'a frame that is no SETTINGS',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x08\x06\0\0\0\0\x0012345678',
    ],
  ])('is to begin with %s', async (_, bytes) => {
    const other = await FrameClient.connect(balancer.tlsPort);
    other.write(bytes);
    expect(await other.lastWord()).toMatch(/protocol|internal|closed/);
    other.close();
  });
});

describe('a mistake that ends one request', () => {
  const REFUSED = /^(?:reset protocol|400)$/;
  const malformed: readonly (readonly [what: string, fields: Fields])[] = [
    // Section 8.2: fields
    ['a name in upper case', with_(['X-Upper', 'y'])],
    ['connection', with_(['connection', 'close'])],
    ['keep-alive', with_(['keep-alive', '5'])],
    ['proxy-connection', with_(['proxy-connection', 'close'])],
    ['transfer-encoding', with_(['transfer-encoding', 'chunked'])],
    ['upgrade', with_(['upgrade', 'websocket'])],
    ['te other than trailers', with_(['te', 'gzip'])],
    // Section 8.3: pseudo fields
    ['no :method', without(':method')],
    ['no :scheme', without(':scheme')],
    ['no :path', without(':path')],
    ['neither :authority nor host', without(':authority')],
    ['two :method', [[':method', 'GET'], ...GET]],
    ['two :path', [[':path', '/'], ...GET]],
    ['two :scheme', [[':scheme', 'https'], ...GET]],
    ['two :authority', [[':authority', 'a.test'], ...GET]],
    ['a pseudo field behind others', [...without(':path'), ['x-a', 'b'], [':path', '/']]],
    ['a pseudo field of answers', with_([':status', '200'])],
    ['a pseudo field that is none', with_([':nothing', 'x'])],
    [':protocol, which was not offered', with_([':protocol', 'websocket'])],
    ['an empty :path', replaced(':path', '')],
    ['a :path without slash', replaced(':path', 'a')],
    ['a :path that is a whole URL', replaced(':path', 'https://b.test/')],
    ['a :path with a space', replaced(':path', '/a b')],
    ['a :path with a fragment', replaced(':path', '/a#b')],
    ['a :path with a backslash', replaced(':path', '/a\\b')],
    ['a :path with CR LF', replaced(':path', '/ HTTP/1.1\r\nx: y')],
    ['a :path of * for GET', replaced(':path', '*')],
    ['a :method with a space', replaced(':method', 'GET /')],
    ['an empty :method', replaced(':method', '')],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a.test:443'],
      ],
    ],
    ['CONNECT with a path', replaced(':method', 'CONNECT')],
    ['a :scheme of others', replaced(':scheme', 'ftp')],
    ['a user in :authority', replaced(':authority', 'user@a.test')],
    ['a space in :authority', replaced(':authority', 'a.test x')],
    ['an empty :authority', replaced(':authority', '')],
    ['host and :authority that differ', with_(['host', 'b.test'])],
    ['two host', [...without(':authority'), ['host', 'a.test'], ['host', 'a.test']]],
    // Section 8.1.1: lengths
    ['a length and no body', with_(['content-length', '5'])],
    ['two lengths', with_(['content-length', '0'], ['content-length', '0'])],
    ['a length that is no number', with_(['content-length', '+0'])],
  ];

  it.each(malformed)('is %s', async (_, fields) => {
    client.headers(1, fields);
    expect(await client.fateOf(1)).toMatch(REFUSED);
    expect(app.requests).toEqual([]);
    client.headers(3, GET);
    expect(await client.fateOf(3)).toBe('200');
  });

  const acts: readonly (readonly [what: string, act: Act, fate: RegExp])[] = [
    ['a body longer than its length', (c) => { c.headers(1, [...POST, ['content-length', '3']], 0); c.data(1, 'abcd'); }, /goaway internal|reset protocol/],
    ['a body shorter than its length', (c) => { c.headers(1, [...POST, ['content-length', '5']], 0); c.data(1, 'abcd'); }, REFUSED],
    ['a pseudo field in trailers', (c) => { c.headers(1, POST, 0); c.data(1, 'a', 0); c.headers(1, [[':path', '/']]); }, /protocol|200/],
    ['trailers that do not end the request', (c) => { c.headers(1, POST, 0); c.headers(1, [['x-a', 'b']], 0); }, /protocol/],
    ['an increment of 0', (c) => { c.headers(1, POST, 0); c.send(Frame.windowUpdate, 0, 1, uint32(0)); }, /protocol/],
    ['a window over 2^31-1', (c) => { c.headers(1, POST, 0); c.send(Frame.windowUpdate, 0, 1, uint32(2 ** 31 - 1)); }, /flowControl/],
    ['DATA behind its end', (c) => { c.headers(1, [...POST, ['content-length', '1']], 0); c.data(1, 'a'); c.data(1, 'b'); }, /streamClosed|200/],
  ]; // prettier-ignore

  it.each(acts)('is %s', async (_, act, fate) => {
    act(client);
    expect(await client.fateOf(1)).toMatch(fate);
  });

  it('is one too many', async () => {
    app.answer = () => undefined;
    for (let stream = 1; stream <= 201; stream += 2) client.headers(stream, GET);
    expect(await client.fateOf(201)).toMatch(/reset refused/);
    await expect.poll(() => app.requests.length).toBe(100);
    app.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  });

  it.each([
    [
      'too many fields',
      Array.from({ length: 200 }, (_, index): [string, string] => [`x-${index}`, 'y']),
    ],
    [
      'fields that are too long',
      Array.from({ length: 8 }, (_, index): [string, string] => [`x-${index}`, 'y'.repeat(10_000)]),
    ],
  ])('has %s', async (_, fields) => {
    const bytes = block(with_(...fields));
    const parts = Math.ceil(bytes.length / 16_000);
    for (let part = 0; part < parts; part += 1)
      client.send(
        part === 0 ? Frame.headers : Frame.continuation,
        (part === 0 ? END : 0) | (part === parts - 1 ? Flag.endHeaders : 0),
        1,
        bytes.subarray(part * 16_000, (part + 1) * 16_000),
      );
    expect(await client.fateOf(1)).toMatch(/reset enhanceYourCalm|other status|goaway/);
    expect(app.requests).toEqual([]);
  });
});

describe('a field that may not be there is dropped', () => {
  // RFC 9113 section 8.2.1 wants the request refused; nghttp2 leaves the field out and says nothing.
  const cases: readonly (readonly [what: string, fields: Fields])[] = [
    ['a name with a space', with_(['x y', 'z'])],
    ['a name with a colon', with_(['x:y', 'z'])],
    ['a name of nothing', with_(['', 'z'])],
    ['a name beyond ASCII', with_(['x-\xe9', 'z'])],
    ['a value with CR', with_(['x-a', 'b\rc'])],
    ['a value with LF', with_(['x-a', 'b\nc'])],
    ['a value with CR LF and a field in it', with_(['x-a', 'b\r\ntransfer-encoding: chunked'])],
    ['a value with NUL', with_(['x-a', 'b\0c'])],
    ['a value with DEL', with_(['x-a', 'b\x7fc'])],
  ];

  it.each(cases)('for %s', async (_, fields) => {
    client.headers(1, fields);
    expect(await client.fateOf(1)).toBe('200');
    const names = app.request.headers.map(([name]) => name);
    expect(names.filter((name) => !name.startsWith('x-forwarded-'))).toEqual([
      ...['host', 'x-request-id', 'x-request-start'],
    ]);
  });
});

describe('what is no mistake', () => {
  const acts: readonly (readonly [what: string, act: Act])[] = [
    ['settings nobody knows', (c) => c.send(Frame.settings, 0, 0, setting(0xfafa, 7))],
    ['frames nobody knows', (c) => c.send(0xfa, 0xff, 0, 'anything')],
    ['flags nobody knows', (c) => c.send(Frame.settings, 0xfe, 0, '')],
    ['the reserved bit of a stream', (c) => c.send(Frame.ping, 0, 2 ** 31, '12345678')],
    ['PRIORITY, which says nothing any more', (c) => c.send(Frame.priority, 0, 1, '\x00\x00\x00\x00\x10')],
    ['padding', (c) => c.send(Frame.headers, HEADERS_END | Flag.padded, 1, Buffer.concat([Buffer.from([3]), block(GET), Buffer.alloc(3)]))],
    ['HEADERS with a priority', (c) => c.send(Frame.headers, HEADERS_END | Flag.priority, 1, Buffer.concat([uint32(0), Buffer.from([16]), block(GET)]))],
    ['a field block in parts', (c) => { const bytes = block(GET); c.send(Frame.headers, END, 1, bytes.subarray(0, 5)); c.send(Frame.continuation, 0, 1, bytes.subarray(5, 9)); c.send(Frame.continuation, Flag.endHeaders, 1, bytes.subarray(9)); }],
    ['WINDOW_UPDATE of a request that is over', (c) => { c.headers(1, GET); c.send(Frame.windowUpdate, 0, 1, uint32(10)); }],
    ['RST_STREAM of a request that is over', (c) => { c.headers(1, GET); c.send(Frame.reset, 0, 1, uint32(8)); }],
    ['a stream below the last, which is ignored', (c) => { c.headers(7, GET); c.headers(3, GET); }],
    ['PRIORITY of the connection, which is ignored', (c) => c.send(Frame.priority, 0, 0, '\x00\x00\x00\x01\x10')],
    ['streams that are left out', (c) => c.headers(7, GET)],
    ['host in place of :authority', (c) => c.headers(1, [...without(':authority'), ['host', 'a.test']])],
    ['host beside the same :authority', (c) => c.headers(1, with_(['host', 'A.test']))],
    ['te: trailers', (c) => c.headers(1, with_(['te', 'trailers']))],
    ['settings that are many', (c) => { for (let n = 0; n < 20; n += 1) c.send(Frame.settings, 0, 0, setting(4, 65_535)); }],
  ]; // prettier-ignore

  it.each(acts)('is %s', async (_, act) => {
    act(client);
    client.headers(9, GET);
    expect(await client.fateOf(9)).toBe('200');
    const bad = client.received.filter(({ type }) => type === Frame.goaway);
    expect(bad).toEqual([]);
  });

  it('is acknowledged: SETTINGS and PING', async () => {
    client.send(Frame.ping, 0, 0, 'abcdefgh');
    const pong = await client.find(({ type, flags }) => type === Frame.ping && flags === Flag.ack);
    expect(String(pong?.payload)).toBe('abcdefgh');
    const settings = await client.find(
      ({ type, flags }) => type === Frame.settings && flags === Flag.ack,
    );
    expect(settings?.payload.length).toBe(0);
    expect(client.received[0]?.type).toBe(Frame.settings);
  });

  it('is a cookie in parts', async () => {
    client.headers(1, with_(['cookie', 'a=1'], ['x-between', 'y'], ['cookie', 'b=2']));
    expect(await client.fateOf(1)).toBe('200');
    expect(app.request.headers.filter(([name]) => name === 'cookie')).toEqual([
      ['cookie', 'a=1; b=2'],
    ]);
  });

  it('is OPTIONS for the server itself', async () => {
    client.headers(1, [[':method', 'OPTIONS'], ...replaced(':path', '*').slice(1)]);
    expect(await client.fateOf(1)).toBe('200');
    expect(app.request.target).toBe('*');
  });

  it('is an answer that waits for its window', async () => {
    app.answer = `HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`;
    client.headers(1, GET);
    expect(await client.fateOf(1)).toBe('200');
    const bytesOf = (): number =>
      client.received
        .filter(({ type, stream }) => type === Frame.data && stream === 1)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    await expect.poll(bytesOf).toBe(65_535);
    client.send(Frame.windowUpdate, 0, 1, uint32(50_000));
    client.send(Frame.windowUpdate, 0, 0, uint32(50_000));
    await expect.poll(bytesOf).toBe(100_000);
    app.answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  });
});
