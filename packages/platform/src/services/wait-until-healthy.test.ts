import { describe, expect, it } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import type { ServiceHealth } from '../ports/service-kind.ts';
import { waitUntilHealthy } from './wait-until-healthy.ts';

/** Sleeping takes no time but moves the clock. */
function fakeClock(): Clock {
  let ms = 0;
  return {
    nowMs: () => ms,
    monotonicMs: () => ms,
    sleep: async (forMs: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      ms += forMs;
    },
  };
}

const waitFor = (look: () => ServiceHealth, signal = new AbortController().signal) =>
  waitUntilHealthy({
    name: 'Redis',
    look: async () => look(),
    timeoutMs: 1_000,
    hint: 'tandem doctor',
    clock: fakeClock(),
    signal,
  });

describe('waitUntilHealthy', () => {
  it('looks until the server is healthy', async () => {
    let looks = 0;
    await waitFor(() => ({ healthy: (looks += 1) === 3, detail: 'starting up' }));
    expect(looks).toBe(3);
  });

  it('gives up with what it saw last', async () => {
    await expect(waitFor(() => ({ healthy: false, detail: 'LOADING' }))).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      message: 'Redis does not answer: LOADING',
      hint: 'tandem doctor',
    });
  });

  it('ends with its signal', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(waitFor(() => ({ healthy: false, detail: '' }), signal)).rejects.toThrow(
      'cancelled',
    );
  });
});
