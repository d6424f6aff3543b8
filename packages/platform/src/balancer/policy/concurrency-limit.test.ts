import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../exchange.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';

function newExchange() {
  const controller = new AbortController();
  const exchange = { ended: controller.signal } as Exchange;
  return { exchange, end: () => controller.abort() };
}

const bounds = (requestsMax: number, waitingMax = 0, waitTimeoutMs = 5_000) =>
  new ConcurrencyLimit({ requestsMax, waitingMax, waitTimeoutMs });

describe('ConcurrencyLimit', () => {
  it('gives a place back at the end of a request', () => {
    const limit = bounds(1);
    const first = newExchange();
    expect(limit.judge(first.exchange)).toBeUndefined();
    expect(limit.judge(newExchange().exchange)).toMatchObject({ status: 503, retryAfterS: 5 });
    first.end();
    expect(limit.underWay).toBe(0);
    expect(limit.judge(newExchange().exchange)).toBeUndefined();
  });

  it('lets those who wait in, in their order', async () => {
    const limit = bounds(1, 2);
    const [first, second, third] = [newExchange(), newExchange(), newExchange()];
    void limit.judge(first.exchange);
    const order: string[] = [];
    const waiting = [second, third].map(async ({ exchange }, index) => {
      expect(await limit.judge(exchange)).toBeUndefined();
      order.push(`${index}`);
    });
    expect(limit.waiting).toBe(2);
    expect(limit.judge(newExchange().exchange)).toMatchObject({ status: 503 });
    first.end();
    await sleep(1);
    expect([order, limit.underWay, limit.waiting]).toEqual([['0'], 1, 1]);
    second.end();
    await Promise.all(waiting);
    third.end();
    expect([order, limit.underWay]).toEqual([['0', '1'], 0]);
  });

  it('forgets who leaves while waiting', async () => {
    const limit = bounds(1, 1);
    const [first, second] = [newExchange(), newExchange()];
    void limit.judge(first.exchange);
    const waiting = limit.judge(second.exchange);
    second.end();
    await waiting;
    expect([limit.underWay, limit.waiting]).toEqual([1, 0]);
    first.end();
    expect(limit.underWay).toBe(0);
  });

  it('lets nobody wait for ever', async () => {
    const limit = bounds(1, 1, 20);
    void limit.judge(newExchange().exchange);
    expect(await limit.judge(newExchange().exchange)).toMatchObject({ status: 503 });
    expect(limit.waiting).toBe(0);
  });
});
