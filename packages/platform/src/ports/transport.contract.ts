// What every Transport adapter does, failure paths first in mind. Run with real sockets.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import type { Message, TransportClient, TransportServer } from './transport.ts';

export const CONTRACT_SCHEMAS = {
  'test.ask': v.object({ type: v.literal('test.ask'), n: v.number() }),
  'test.answer': v.object({ type: v.literal('test.answer'), n: v.number() }),
  'test.news': v.object({
    type: v.literal('test.news'),
    n: v.number(),
    pad: v.optional(v.string()),
  }),
  // Both ends' senders check too, so a type only one side knows needs an unchecked body.
  'test.loose': v.looseObject({ type: v.literal('test.loose') }),
} as const;

/** Extra schemas a client of the contract has and its server lacks. */
export const CLIENT_ONLY_SCHEMAS = {
  ...CONTRACT_SCHEMAS,
  'test.unknown': v.looseObject({ type: v.literal('test.unknown') }),
  'test.ask': v.looseObject({ type: v.literal('test.ask') }),
} as const;

export interface TransportHarness {
  /** At the same address each time; schemas: CONTRACT_SCHEMAS. */
  startServer(): Promise<TransportServer>;
  /** Schemas: CLIENT_ONLY_SCHEMAS. `admitted: false` uses a key the server does not know. */
  connect(
    name: string,
    options?: { admitted?: boolean; wrongServerKey?: boolean },
  ): TransportClient;
  /** Ends everything, closes clients and servers that are still open. */
  close(): Promise<void>;
}

const ask = (n: number, extra: object = {}): Message => ({ type: 'test.ask', n, ...extra });
const news = (n: number, pad?: string): Message => ({ type: 'test.news', n, ...(pad && { pad }) });

export async function until(condition: () => boolean, timeoutMs = 8_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error('the condition did not come true in time');
    await sleep(10);
  }
}

export function transportContract(name: string, setUp: () => Promise<TransportHarness>): void {
  describe(`Transport contract: ${name}`, () => {
    let harness: TransportHarness;
    beforeEach(async () => {
      harness = await setUp();
    });
    afterEach(async () => {
      await harness.close();
    });

    const echo = (server: TransportServer): void =>
      server.onRequest((message) => Promise.resolve({ type: 'test.answer', n: Number(message.n) }));

    describe('requests', () => {
      it('answers many at once, each with its own reply', async () => {
        echo(await harness.startServer());
        const client = harness.connect('a');
        const answers = await Promise.all(
          Array.from({ length: 200 }, (_, n) => client.request(ask(n), { timeoutMs: 8_000 })),
        );
        expect(answers.map((answer) => answer.n)).toEqual(answers.map((_, n) => n));
      });

      it('ignores an unknown field', async () => {
        let seen: Message | undefined;
        (await harness.startServer()).onRequest((message) => {
          seen = message;
          return Promise.resolve({ type: 'test.answer', n: 1 });
        });
        await harness.connect('a').request(ask(1, { novel: true }), { timeoutMs: 8_000 });
        expect(seen).toEqual(ask(1));
      });

      it('refuses an unknown type, a malformed body and a type nobody may send', async () => {
        echo(await harness.startServer());
        const client = harness.connect('a');
        const options = { timeoutMs: 8_000 };
        const refused = { code: 'TRANSPORT_REFUSED' };
        await expect(client.request({ type: 'test.unknown' }, options)).rejects.toMatchObject(
          refused,
        );
        await expect(
          client.request({ type: 'test.ask', n: 'seven' }, options),
        ).rejects.toMatchObject(refused);
        await expect(client.request({ type: 'never.heard' }, options)).rejects.toMatchObject(
          refused,
        );
      });

      it('hands over the error of the other end', async () => {
        (await harness.startServer()).onRequest(() =>
          Promise.reject(new TandemError('APP_NOT_FOUND', 'no app "x"', { hint: 'tandem apps' })),
        );
        await expect(
          harness.connect('a').request(ask(1), { timeoutMs: 8_000 }),
        ).rejects.toMatchObject({
          code: 'APP_NOT_FOUND',
          message: 'no app "x"',
          hint: 'tandem apps',
        });
      });

      it('has one effect for one id, asked again at once or later', async () => {
        let effects = 0;
        (await harness.startServer()).onRequest(async () => {
          effects += 1;
          // Longer than the client waits before it sends the request again.
          await sleep(1_300);
          return { type: 'test.answer', n: effects };
        });
        const client = harness.connect('a');
        const options = { timeoutMs: 8_000, id: 'one' };
        expect(await client.request(ask(1), options)).toMatchObject({ n: 1 });
        expect(await client.request(ask(1), options)).toMatchObject({ n: 1 });
        expect(effects).toBe(1);
      });

      it('gives up at the deadline when nobody listens', async () => {
        const started = performance.now();
        await expect(
          harness.connect('a').request(ask(1), { timeoutMs: 300 }),
        ).rejects.toMatchObject({ code: 'TRANSPORT_TIMEOUT' });
        expect(performance.now() - started).toBeLessThan(2_000);
      });

      it('gives up at the deadline when the answer does not come', async () => {
        (await harness.startServer()).onRequest(() => new Promise(() => undefined));
        await expect(
          harness.connect('a').request(ask(1), { timeoutMs: 700 }),
        ).rejects.toMatchObject({ code: 'TRANSPORT_TIMEOUT' });
      });

      it('ends a waiting request when the client is closed', async () => {
        const client = harness.connect('a');
        const waiting = client.request(ask(1), { timeoutMs: 60_000 });
        await client.close();
        await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
      });

      it('is answered by the next server when the first dies in the middle', async () => {
        const first = await harness.startServer();
        const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
        first.onRequest(() => {
          reach();
          return new Promise(() => undefined);
        });
        const answer = harness.connect('a').request(ask(5), { timeoutMs: 15_000 });
        await reached;
        await first.close();
        echo(await harness.startServer());
        expect(await answer).toMatchObject({ n: 5 });
      });
    });

    describe('admission', () => {
      it('does not hear a client whose key is not admitted', async () => {
        const server = await harness.startServer();
        let heard = 0;
        server.onRequest(() => {
          heard += 1;
          return Promise.resolve({ type: 'test.answer', n: 0 });
        });
        server.onPush(() => {
          heard += 1;
        });
        const stranger = harness.connect('stranger', { admitted: false });
        let received = 0;
        stranger.subscribe(
          'topic',
          () => (received += 1),
          () => (received += 1),
        );
        stranger.push(news(1));
        const request = stranger.request(ask(1), { timeoutMs: 1_500 });
        await expect(request).rejects.toMatchObject({ code: 'TRANSPORT_TIMEOUT' });
        await server.publish('topic', news(1));
        await sleep(200);
        expect([heard, received]).toEqual([0, 0]);
      });

      it('does not speak to a server with another key', async () => {
        echo(await harness.startServer());
        const client = harness.connect('a', { wrongServerKey: true });
        await expect(client.request(ask(1), { timeoutMs: 1_000 })).rejects.toMatchObject({
          code: 'TRANSPORT_TIMEOUT',
        });
      });
    });

    describe('publishing', () => {
      const follow = (client: TransportClient, topic = 'topic') => {
        const seen = { numbers: [] as number[], gaps: 0 };
        client.subscribe(
          topic,
          (message) => seen.numbers.push(Number(message.n)),
          () => (seen.gaps += 1),
        );
        return seen;
      };

      it('tells a late joiner to take a snapshot, then sends every message in order', async () => {
        const server = await harness.startServer();
        await server.publish('topic', news(1));
        const seen = follow(harness.connect('late'));
        await until(() => seen.gaps === 1);
        expect(seen.numbers).toEqual([]);
        for (let n = 2; n < 100; n += 1) await server.publish('topic', news(n));
        await until(() => seen.numbers.length === 98);
        expect(seen.numbers).toEqual(Array.from({ length: 98 }, (_, index) => index + 2));
        expect(seen.gaps).toBe(1);
      });

      it('does not mix topics, not even when one is a prefix of the other', async () => {
        const server = await harness.startServer();
        const client = harness.connect('a');
        const seen = follow(client, 'topic');
        await until(() => seen.gaps === 1);
        await server.publish('topic.more', news(1));
        await server.publish('topic', news(2));
        await until(() => seen.numbers.length > 0);
        expect(seen.numbers).toEqual([2]);
        expect(seen.gaps).toBe(1);
      });

      it('tells of the new server after a restart', async () => {
        const first = await harness.startServer();
        const seen = follow(harness.connect('a'));
        await until(() => seen.gaps === 1);
        await first.close();
        const second = await harness.startServer();
        await until(() => seen.gaps === 2);
        await second.publish('topic', news(7));
        await until(() => seen.numbers.length === 1);
        expect(seen.numbers).toEqual([7]);
      });

      it('lets a slow subscriber miss messages, and tells it so', async () => {
        const server = await harness.startServer();
        const client = harness.connect('slow');
        const seen = follow(client);
        await until(() => seen.gaps === 1);
        // In one turn of the loop nobody reads: queues of both ends overflow.
        const pad = 'x'.repeat(20_000);
        await Promise.all(
          Array.from({ length: 5_000 }, (_, n) => server.publish('topic', news(n, pad))),
        );
        await until(() => seen.gaps > 1, 20_000);
        expect(seen.numbers.length).toBeLessThan(5_000);
        const sorted = [...seen.numbers].sort((a, b) => a - b);
        expect(seen.numbers).toEqual(sorted);
      });
    });

    describe('pushing', () => {
      it('delivers batches from several clients', async () => {
        const server = await harness.startServer();
        let sum = 0;
        server.onPush((message) => (sum += Number(message.n)));
        for (const name of ['a', 'b']) {
          const client = harness.connect(name);
          for (let n = 1; n <= 500; n += 1) client.push(news(n));
        }
        await until(() => sum === 2 * 125_250);
      });

      it('drops and counts when nobody takes them, without waiting', async () => {
        const client = harness.connect('a');
        for (let n = 0; n < 30_000; n += 1) client.push(news(n));
        expect(client.pushesDropped).toBeGreaterThan(10_000);
        await sleep(0);
      });

      it('goes on after a restart of the server', async () => {
        const first = await harness.startServer();
        let received = 0;
        first.onPush(() => (received += 1));
        const client = harness.connect('a');
        client.push(news(1));
        await until(() => received === 1);
        await first.close();
        const second = await harness.startServer();
        second.onPush(() => (received += 1));
        await until(() => {
          client.push(news(2));
          return received > 1;
        });
      });
    });
  });
}
