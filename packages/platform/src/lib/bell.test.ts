import { describe, expect, it } from 'vitest';
import { Bell } from './bell.ts';

const never = new AbortController().signal;

describe('Bell', () => {
  it('wakes every waiter', async () => {
    const bell = new Bell();
    const waiting = [bell.wait(0, 60_000, never), bell.wait(0, 60_000, never)];
    bell.ring();
    await expect(Promise.all(waiting)).resolves.toHaveLength(2);
  });

  it('does not let a ring before the wait go unheard', async () => {
    const bell = new Bell();
    const heard = bell.rings;
    bell.ring();
    await expect(bell.wait(heard, 60_000, never)).resolves.toBeUndefined();
  });

  it('gives up after its time', async () => {
    await expect(new Bell().wait(0, 5, never)).resolves.toBeUndefined();
  });

  it('gives up when the signal fires, before or during the wait', async () => {
    const bell = new Bell();
    const abort = new AbortController();
    const waiting = bell.wait(0, 60_000, abort.signal);
    abort.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(bell.wait(0, 60_000, abort.signal)).resolves.toBeUndefined();
  });
});
