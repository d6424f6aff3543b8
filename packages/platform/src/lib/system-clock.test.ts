import { describe, expect, it } from 'vitest';
import { systemClock } from './system-clock.ts';

describe('systemClock', () => {
  it('sleeps for the time asked for', async () => {
    const beforeMs = systemClock.monotonicMs();
    await systemClock.sleep(30);
    expect(systemClock.monotonicMs() - beforeMs).toBeGreaterThanOrEqual(29);
  });

  it('rejects with the reason of a signal that fires', async () => {
    const reason = new Error('shutting down');
    const abort = new AbortController();
    const sleeping = systemClock.sleep(60_000, abort.signal);
    abort.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });

  it('does not start to sleep under a signal that has fired', async () => {
    await expect(systemClock.sleep(60_000, AbortSignal.abort('gone'))).rejects.toBe('gone');
  });
});
