// WebSockets in frames: whatever two ends say to each other arrives as it was said, and when one of
// them is gone the other learns it.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, TestBalancer } from '../support/balancer-server.ts';
import { type Resources, resourcesNow, returnTo } from '../support/resources.ts';
import { closePayload, encodeFrame, type Frame, OPCODE } from '../support/websocket-frames.ts';
import {
  type Handshake,
  openWebSocket,
  webSocketApp,
  type WebSocketPeer,
} from '../support/websocket-peer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

let balancer: TestBalancer;
let before: Resources;
const backends: Backend[] = [];
const peers: WebSocketPeer[] = [];

beforeEach(async () => {
  before = resourcesNow();
  balancer = new TestBalancer();
  await balancer.listen();
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.socket.destroy();
  for (const backend of backends.splice(0)) await backend.close();
  await balancer.close();
  await returnTo(before);
});

/** Both ends of one WebSocket through the balancer. */
async function pair(
  ofClient: Handshake = {},
  ofApp: Handshake = {},
): Promise<{ client: WebSocketPeer; app: WebSocketPeer }> {
  const { promise: agreed, resolve } = Promise.withResolvers<WebSocketPeer>();
  const backend = await webSocketApp(resolve, ofApp);
  backends.push(backend);
  balancer.to([backend.upstream]);
  const client = await openWebSocket(balancer.port, ofClient);
  const app = await agreed;
  peers.push(client, app);
  return { client, app };
}

const textOf = ({ payload }: Frame): string => payload.toString();

describe.each(['client', 'app'] as const)('from the %s', (from) => {
  const open = async (): Promise<{ from: WebSocketPeer; to: WebSocketPeer }> => {
    const { client, app } = await pair();
    return from === 'client' ? { from: client, to: app } : { from: app, to: client };
  };

  it('frames of every size that changes their head arrive', async () => {
    const ends = await open();
    for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
      ends.from.send(OPCODE.binary, Buffer.alloc(size, size % 251));
      const { opcode, payload, isMasked } = await ends.to.frame();
      expect([opcode, payload.length, isMasked]).toEqual([OPCODE.binary, size, from === 'client']);
      expect(payload.equals(Buffer.alloc(size, size % 251))).toBe(true);
    }
  });

  it('a message in fragments stays in fragments, with control frames between', async () => {
    const ends = await open();
    ends.from.send(OPCODE.text, 'one ', { isFinal: false });
    ends.from.send(OPCODE.ping, 'still there?');
    ends.from.send(OPCODE.continuation, 'two ', { isFinal: false });
    ends.from.send(OPCODE.pong, '');
    ends.from.send(OPCODE.continuation, 'three');
    const seen: unknown[] = [];
    for (let n = 0; n < 5; n += 1) {
      const frame = await ends.to.frame();
      seen.push([frame.opcode, frame.isFinal, textOf(frame)]);
    }
    expect(seen).toEqual([
      [OPCODE.text, false, 'one '],
      [OPCODE.ping, true, 'still there?'],
      [OPCODE.continuation, false, 'two '],
      [OPCODE.pong, true, ''],
      [OPCODE.continuation, true, 'three'],
    ]);
  });

  it('a frame of 16 MiB arrives whole', async () => {
    const ends = await open();
    const payload = Buffer.alloc(16 * MIB, 'abcdefghijk');
    ends.from.send(OPCODE.binary, payload);
    expect((await ends.to.frame()).payload.equals(payload)).toBe(true);
  });

  it('a frame that is cut anywhere arrives', async () => {
    const ends = await open();
    ends.from.socket.setNoDelay(true);
    for (const byte of encodeFrame(OPCODE.text, 'in pieces', { isMasked: from === 'client' })) {
      ends.from.socket.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    expect(textOf(await ends.to.frame())).toBe('in pieces');
  });

  it('5,000 small frames arrive, in order', async () => {
    const ends = await open();
    for (let n = 0; n < 5_000; n += 1) ends.from.send(OPCODE.text, String(n));
    for (let n = 0; n < 5_000; n += 1) expect(textOf(await ends.to.frame())).toBe(String(n));
  });

  it('frames that break RFC 6455 are the other end to judge', async () => {
    const ends = await open();
    ends.from.send(3, 'a reserved opcode');
    ends.from.send(OPCODE.ping, Buffer.alloc(126), { isFinal: false });
    expect((await ends.to.frame()).opcode).toBe(3);
    expect(await ends.to.frame()).toMatchObject({ opcode: OPCODE.ping, isFinal: false });
  });

  it.each([
    [1000, 'bye'],
    [1001, ''],
    [1011, 'a reason of some length: '.repeat(4)],
    [4999, 'ours'],
  ])('close code %i and its reason arrive, and so does the answer', async (code, reason) => {
    const ends = await open();
    ends.from.send(OPCODE.close, closePayload(code, reason));
    const asked = await ends.to.frame();
    expect([asked.opcode, asked.payload.readUInt16BE()]).toEqual([OPCODE.close, code]);
    expect(asked.payload.subarray(2).toString()).toBe(reason);
    ends.to.send(OPCODE.close, closePayload(code));
    expect((await ends.from.frame()).opcode).toBe(OPCODE.close);
    ends.to.socket.end();
    await ends.from.end();
    ends.from.socket.end();
  });

  it('an end of one direction leaves the other open', async () => {
    const ends = await open();
    ends.from.send(OPCODE.text, 'last');
    ends.from.socket.end();
    expect(textOf(await ends.to.frame())).toBe('last');
    await ends.to.end();
    for (const word of ['still', 'talking']) {
      ends.to.send(OPCODE.text, word);
      expect(textOf(await ends.from.frame())).toBe(word);
      await sleep(50);
    }
    ends.to.socket.end();
    await ends.from.end();
  });

  it('a reset ends the other side too', async () => {
    const ends = await open();
    ends.from.socket.resetAndDestroy();
    await ends.to.end();
  });

  it('a disappearance in the middle of a frame ends the other side too', async () => {
    const ends = await open();
    const bytes = encodeFrame(OPCODE.binary, Buffer.alloc(100_000));
    ends.from.socket.write(bytes.subarray(0, 50_000), () => ends.from.socket.destroy());
    await ends.to.end();
  });

  it('a flood waits for a reader that does not read', async () => {
    const ends = await open();
    ends.to.socket.pause();
    const start = resourcesNow();
    const block = Buffer.alloc(64 * KIB);
    let written = 0;
    while (written < 200 * MIB) {
      written += block.length;
      if (ends.from.send(OPCODE.binary, block)) continue;
      const drained = once(ends.from.socket, 'drain').then(() => true);
      if (!(await Promise.race([drained, sleep(300, false)]))) break;
    }
    expect(written).toBeLessThan(64 * MIB);
    expect(resourcesNow().bytes - start.bytes).toBeLessThan(24 * MIB);
  });
});

describe('a WebSocket', () => {
  it('carries what both ends say in one breath with the handshake', async () => {
    const early = (word: string, isMasked: boolean): Buffer =>
      Buffer.concat([word, 'and more'].map((text) => encodeFrame(OPCODE.text, text, { isMasked })));
    const { client, app } = await pair(
      { early: early('from the client', true) },
      { early: early('from the app', false) },
    );
    expect(textOf(await app.frame())).toBe('from the client');
    expect(textOf(await client.frame())).toBe('from the app');
    expect([textOf(await app.frame()), textOf(await client.frame())]).toEqual([
      'and more',
      'and more',
    ]);
  });

  it('carries a megabyte that comes with the handshake', async () => {
    const payload = Buffer.alloc(MIB, 'early');
    const { app } = await pair({ early: encodeFrame(OPCODE.binary, payload, { isMasked: true }) });
    expect((await app.frame()).payload.equals(payload)).toBe(true);
  });

  it('agrees on its extension and protocol end to end, and its frames stay compressed', async () => {
    const offer = 'permessage-deflate; client_max_window_bits; server_no_context_takeover';
    const { client, app } = await pair(
      {
        headers: `Sec-WebSocket-Extensions: ${offer}\r\nSec-WebSocket-Protocol: chat, superchat\r\n`,
      },
      {
        headers: 'Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n',
      },
    );
    expect(app.head).toContain(`\r\nSec-WebSocket-Extensions: ${offer}\r\n`);
    expect(app.head).toContain('\r\nSec-WebSocket-Protocol: chat, superchat\r\n');
    expect(client.head).toContain('\r\nSec-WebSocket-Extensions: permessage-deflate\r\n');
    expect(client.head).toContain('\r\nSec-WebSocket-Protocol: chat\r\n');
    const text = 'again and '.repeat(1_000);
    const deflated = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
    for (const [from, to] of [
      [client, app],
      [app, client],
    ] as const) {
      from.send(OPCODE.text, deflated, { rsv1: true });
      const { rsv1, payload } = await to.frame();
      expect(rsv1).toBe(true);
      const inflated = inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
      expect(inflated.toString()).toBe(text);
    }
  });

  it('talks both ways at once', async () => {
    const { client, app } = await pair();
    const count = 1_000;
    for (let n = 0; n < count; n += 1) {
      client.send(OPCODE.text, `up ${n}`);
      app.send(OPCODE.text, `down ${n}`);
    }
    for (let n = 0; n < count; n += 1) {
      expect(textOf(await app.frame())).toBe(`up ${n}`);
      expect(textOf(await client.frame())).toBe(`down ${n}`);
    }
  });

  it('may be silent for longer than requests may', async () => {
    const quick = {
      headTimeoutMs: 200,
      bodyIdleTimeoutMs: 200,
      keepAliveMs: 200,
      responseTimeoutMs: 200,
    };
    await balancer.close();
    balancer = new TestBalancer({ limits: quick });
    await balancer.listen();
    const { client, app } = await pair();
    await sleep(1_000);
    client.send(OPCODE.text, 'awake');
    expect(textOf(await app.frame())).toBe('awake');
  });

  it('is one of 200, and none hears another', async () => {
    const backend = await webSocketApp((peer) => {
      peers.push(peer);
      void (async () => {
        for (;;) peer.send(OPCODE.text, `echo ${textOf(await peer.frame())}`);
      })().catch(() => undefined);
    });
    backends.push(backend);
    balancer.to([backend.upstream]);
    const clients = await Promise.all(
      Array.from({ length: 200 }, () => openWebSocket(balancer.port)),
    );
    peers.push(...clients);
    for (let round = 0; round < 5; round += 1) {
      clients.forEach((client, index) => client.send(OPCODE.text, `${index}.${round}`));
      for (const [index, client] of clients.entries())
        expect(textOf(await client.frame())).toBe(`echo ${index}.${round}`);
    }
  });
});
