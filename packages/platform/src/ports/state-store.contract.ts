// What every StateStore must do, run against each adapter. `open` gives an empty store; `connect`
// opens one more connection to it, as another process would.
import { hasCode, TandemError, type ErrorCode } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../domain/limits.ts';
import type { Change, StateStore, ValidateDocument } from './state-store.ts';

export interface StoreUnderTest {
  connect(validate: ValidateDocument): Promise<StateStore>;
  /** Lets this much time pass for leases. */
  passTime(ms: number): Promise<void>;
  /** How many further revisions make the store drop the history before them. */
  readonly historyRevisions: number;
  remove(): Promise<void>;
}

const acceptAll: ValidateDocument = (_key, value) => value;
/** Documents under `numbers/` must be numbers. */
const numbersOnly: ValidateDocument = (key, value) => {
  if (!key.startsWith('numbers/') || typeof value === 'number') return value;
  throw new TandemError('STORE_DOCUMENT_INVALID', `${key} is not a number`);
};
const put = (key: string, value: unknown) => ({ kind: 'put', key, value }) as const;
const remove = (key: string) => ({ kind: 'delete', key }) as const;

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof TandemError) return error.code;
    throw error;
  }
}

/** The first `count` changes of a watch. */
async function take(watch: AsyncIterable<Change>, count: number): Promise<Change[]> {
  const changes: Change[] = [];
  for await (const change of watch) {
    changes.push(change);
    if (changes.length === count) break;
  }
  return changes;
}

export function stateStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} as StateStore`, () => {
    let subject: StoreUnderTest;
    let store: StateStore;
    const deadline = (): AbortSignal => AbortSignal.timeout(10_000);

    beforeEach(async () => {
      subject = await open();
      store = await subject.connect(acceptAll);
    });
    afterEach(async () => {
      await store.close();
      await subject.remove();
    });

    describe('documents', () => {
      it('gives back what was put, with its revision', async () => {
        const value = { name: 'bäckerei', nested: [1, null, { on: true }] };
        const { revision } = await store.transact([], [put('apps/1', value)]);
        expect(await store.get('apps/1')).toEqual({ key: 'apps/1', value, revision });
      });

      it('knows nothing of a key never written, or deleted', async () => {
        await store.transact([], [put('apps/1', 1)]);
        await store.transact([], [remove('apps/1')]);
        expect(await store.get('apps/1')).toBeUndefined();
        expect(await store.get('apps/2')).toBeUndefined();
      });

      it('lists a prefix in key order at one revision', async () => {
        await store.transact([], [put('apps/2', 'b'), put('apps/10', 'a'), put('other/1', 'c')]);
        const { revision } = await store.transact([], [put('apps/1/releases/1', 'd')]);
        const listed = await store.list('apps/');
        expect(listed.revision).toBe(revision);
        const keys = listed.documents.map((document) => document.key);
        expect(keys).toEqual(['apps/1/releases/1', 'apps/10', 'apps/2']);
      });

      it('lists everything under the empty prefix and nothing under an unknown one', async () => {
        await store.transact([], [put('a', 1), put('z', 2)]);
        expect((await store.list('')).documents).toHaveLength(2);
        expect((await store.list('b/')).documents).toEqual([]);
      });

      it('takes every JSON value, null too', async () => {
        await store.transact([], [put('a', null), put('b', ''), put('c', 0), put('d', [])]);
        const { documents } = await store.list('');
        expect(documents.map((document) => document.value)).toEqual([null, '', 0, []]);
      });
    });

    describe('transact', () => {
      it('writes all of a transaction under one growing revision', async () => {
        const first = await store.transact([], [put('a', 1), put('b', 1)]);
        const second = await store.transact([], [put('b', 2)]);
        expect(second.revision).toBeGreaterThan(first.revision);
        expect((await store.get('a'))?.revision).toBe(first.revision);
        expect((await store.get('b'))?.revision).toBe(second.revision);
      });

      it('writes nothing when one compare does not hold', async () => {
        const { revision } = await store.transact([], [put('a', 1)]);
        await store.transact([], [put('a', 2)]);
        const late = await store.transact(
          [
            { key: 'b', revision: 0 },
            { key: 'a', revision },
          ],
          [put('b', 1), remove('a')],
        );
        expect(late.committed).toBe(false);
        expect(await store.get('b')).toBeUndefined();
        expect((await store.get('a'))?.value).toBe(2);
      });

      it('compares with 0 for "does not exist", also after a deletion', async () => {
        const create = () => store.transact([{ key: 'a', revision: 0 }], [put('a', 1)]);
        expect((await create()).committed).toBe(true);
        expect((await create()).committed).toBe(false);
        await store.transact([], [remove('a')]);
        expect((await create()).committed).toBe(true);
      });

      it('gives a re-created document a revision it never had', async () => {
        const first = await store.transact([], [put('a', 1)]);
        await store.transact([], [remove('a')]);
        await store.transact([], [put('a', 1)]);
        const stale = await store.transact([{ key: 'a', revision: first.revision }], [remove('a')]);
        expect(stale.committed).toBe(false);
      });

      it('can check without writing', async () => {
        const { revision } = await store.transact([], [put('a', 1)]);
        expect((await store.transact([{ key: 'a', revision }], [])).committed).toBe(true);
        expect((await store.transact([{ key: 'a', revision: 0 }], [])).committed).toBe(false);
      });

      it('takes the deletion of what does not exist', async () => {
        expect((await store.transact([], [remove('a')])).committed).toBe(true);
      });

      it('lets exactly one of several racers win, across connections', async () => {
        const { revision } = await store.transact([], [put('counter', 0)]);
        const others = await Promise.all([1, 2, 3].map(() => subject.connect(acceptAll)));
        const results = await Promise.all(
          [store, ...others].map((racer, index) =>
            racer.transact([{ key: 'counter', revision }], [put('counter', index)]),
          ),
        );
        expect(results.filter((result) => result.committed)).toHaveLength(1);
        await Promise.all(others.map((other) => other.close()));
      });

      it('loses no update of concurrent read-compare-write loops', async () => {
        await store.transact([], [put('counter', 0)]);
        const other = await subject.connect(acceptAll);
        const addOne = async (connection: StateStore): Promise<void> => {
          for (;;) {
            const current = await connection.get('counter');
            const { committed } = await connection.transact(
              [{ key: 'counter', revision: current?.revision ?? 0 }],
              [put('counter', Number(current?.value) + 1)],
            );
            if (committed) return;
          }
        };
        await Promise.all(
          Array.from({ length: 20 }, (_, index) => addOne(index % 2 ? store : other)),
        );
        expect((await store.get('counter'))?.value).toBe(20);
        await other.close();
      });
    });

    describe('bounds', () => {
      const { valueBytesMax, operationsMax, keyBytesMax } = LIMITS.store;

      it('takes a value at the bound and refuses one byte more', async () => {
        const quotes = 2;
        await store.transact([], [put('a', 'x'.repeat(valueBytesMax - quotes))]);
        const tooLarge = store.transact([], [put('b', 'x'.repeat(valueBytesMax - quotes + 1))]);
        expect(await codeOf(tooLarge)).toBe('STORE_LIMIT');
      });

      it('counts bytes, not characters', async () => {
        const tooLarge = store.transact([], [put('a', 'ä'.repeat(valueBytesMax / 2))]);
        expect(await codeOf(tooLarge)).toBe('STORE_LIMIT');
      });

      it('takes as many operations as the bound and refuses one more', async () => {
        const writes = Array.from({ length: operationsMax + 1 }, (_, index) =>
          put(`k/${index}`, 1),
        );
        const compares = writes.map(({ key }) => ({ key, revision: 0 }));
        expect(await codeOf(store.transact([], writes))).toBe('STORE_LIMIT');
        expect(await codeOf(store.transact(compares, []))).toBe('STORE_LIMIT');
        const most = await store.transact(compares.slice(1), writes.slice(1));
        expect(most.committed).toBe(true);
        expect((await store.list('k/')).documents).toHaveLength(operationsMax);
      });

      it('refuses to write a key twice in one transaction', async () => {
        expect(await codeOf(store.transact([], [put('a', 1), remove('a')]))).toBe('STORE_LIMIT');
      });

      it('refuses a key over the bound', async () => {
        await store.transact([], [put('k'.repeat(keyBytesMax), 1)]);
        const tooLong = store.transact([], [put('k'.repeat(keyBytesMax + 1), 1)]);
        expect(await codeOf(tooLong)).toBe('STORE_LIMIT');
      });

      it.each(['', '/a', 'a/', 'a//b', 'a b', 'ä', 'a\n', 'a%', 'a\0b'])(
        'refuses the key %j',
        async (key) => {
          expect(await codeOf(store.transact([], [put(key, 1)]))).toBe('STORE_DOCUMENT_INVALID');
          expect(await codeOf(store.get(key))).toBe('STORE_DOCUMENT_INVALID');
        },
      );

      it('writes nothing of a transaction that is refused', async () => {
        await codeOf(store.transact([], [put('a', 1), put('b', 'x'.repeat(valueBytesMax))]));
        expect(await store.get('a')).toBeUndefined();
      });
    });

    describe('validation', () => {
      it('refuses an invalid document on its way in, with all of its transaction', async () => {
        const checked = await subject.connect(numbersOnly);
        const refused = checked.transact([], [put('a', 1), put('numbers/1', 'one')]);
        expect(await codeOf(refused)).toBe('STORE_DOCUMENT_INVALID');
        expect(await checked.get('a')).toBeUndefined();
        await checked.close();
      });

      it('refuses an invalid document on its way out of get, list and watch', async () => {
        const { revision } = await store.transact([], [put('numbers/1', 'one')]);
        const checked = await subject.connect(numbersOnly);
        expect(await codeOf(checked.get('numbers/1'))).toBe('STORE_DOCUMENT_INVALID');
        expect(await codeOf(checked.list('numbers/'))).toBe('STORE_DOCUMENT_INVALID');
        const watch = take(checked.watch('numbers/', revision - 1, deadline()), 1);
        expect(await codeOf(watch)).toBe('STORE_DOCUMENT_INVALID');
        await checked.close();
      });

      it('stores and returns what the check returned', async () => {
        const double: ValidateDocument = (_key, value) => Number(value) * 2;
        const doubling = await subject.connect(double);
        await doubling.transact([], [put('a', 1)]);
        expect((await store.get('a'))?.value).toBe(2);
        expect((await doubling.get('a'))?.value).toBe(4);
        await doubling.close();
      });

      it('refuses what is not JSON', async () => {
        expect(await codeOf(store.transact([], [put('a', undefined)]))).toBe(
          'STORE_DOCUMENT_INVALID',
        );
      });
    });

    describe('watch', () => {
      it('gives past changes under the prefix in order, then new ones', async () => {
        const first = await store.transact([], [put('apps/1', 'a'), put('other', 'x')]);
        const second = await store.transact([], [remove('apps/1')]);
        const changes = take(store.watch('apps/', first.revision - 1, deadline()), 3);
        const third = await store.transact([], [put('apps/2', 'b')]);
        expect(await changes).toEqual([
          { key: 'apps/1', revision: first.revision, value: 'a' },
          { key: 'apps/1', revision: second.revision },
          { key: 'apps/2', revision: third.revision, value: 'b' },
        ]);
      });

      it('continues a list without a gap and without a repetition', async () => {
        await store.transact([], [put('a', 1)]);
        const { revision } = await store.list('');
        const next = await store.transact([], [put('b', 2)]);
        const changes = await take(store.watch('', revision, deadline()), 1);
        expect(changes).toEqual([{ key: 'b', revision: next.revision, value: 2 }]);
      });

      it('sees changes of the same connection promptly', async () => {
        const { revision } = await store.list('');
        const watch = take(store.watch('', revision, deadline()), 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const startedMs = performance.now();
        await store.transact([], [put('a', 1)]);
        await watch;
        expect(performance.now() - startedMs).toBeLessThan(150);
      });

      it('sees changes of another connection', async () => {
        const other = await subject.connect(acceptAll);
        const { revision } = await store.list('');
        const watch = take(store.watch('', revision, deadline()), 2);
        await other.transact([], [put('a', 1)]);
        await other.transact([], [put('a', 2)]);
        expect((await watch).map((change) => change.value)).toEqual([1, 2]);
        await other.close();
      });

      it('gives every change of large transactions and of many small ones', async () => {
        const { revision } = await store.list('');
        const large = Array.from({ length: 100 }, (_, index) => put(`large/${index}`, index));
        await store.transact([], large);
        await store.transact([], large);
        const watch = take(store.watch('', revision, deadline()), 210);
        for (let index = 0; index < 10; index += 1) {
          await store.transact([], [put('small', index)]);
        }
        const changes = await watch;
        const values = [...large, ...large].map((write) => write.value);
        expect(changes.map((change) => change.value)).toEqual([
          ...values,
          ...Array.from({ length: 10 }, (_, index) => index),
        ]);
      });

      it('serves several watchers, each at its own pace', async () => {
        const { revision } = await store.list('');
        const fast = take(store.watch('', revision, deadline()), 2);
        const slow = store.watch('', revision, deadline())[Symbol.asyncIterator]();
        await store.transact([], [put('a', 1)]);
        await store.transact([], [put('a', 2)]);
        expect(await fast).toHaveLength(2);
        expect((await slow.next()).value).toMatchObject({ value: 1 });
        expect((await slow.next()).value).toMatchObject({ value: 2 });
        await slow.return?.();
      });

      it('ends without an error when its signal fires, before or while it waits', async () => {
        const abort = new AbortController();
        const { revision } = await store.list('');
        const watch = take(store.watch('', revision, abort.signal), 1);
        setTimeout(() => abort.abort(), 20);
        expect(await watch).toEqual([]);
        expect(await take(store.watch('', revision, abort.signal), 1)).toEqual([]);
      });

      it('ends when the store is closed', async () => {
        const other = await subject.connect(acceptAll);
        const { revision } = await other.list('');
        const watch = take(other.watch('', revision, deadline()), 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        await other.close();
        expect(await watch).toEqual([]);
      });

      it('fails with STORE_BEHIND when history was dropped', async () => {
        const { revision } = await store.transact([], [put('a', 0)]);
        const watch = store.watch('', revision, deadline())[Symbol.asyncIterator]();
        for (let index = 0; index <= subject.historyRevisions; index += 1) {
          await store.transact([], [put('a', index)]);
        }
        await expect(watch.next()).rejects.toSatisfy((error) => hasCode(error, 'STORE_BEHIND'));
        const again = await store.list('');
        const next = take(store.watch('', again.revision, deadline()), 1);
        await store.transact([], [put('a', 'next')]);
        expect((await next)[0]?.value).toBe('next');
      });
    });

    describe('leases', () => {
      const TTL_MS = 10_000;

      it('has one holder at a time', async () => {
        const other = await subject.connect(acceptAll);
        const lease = await store.acquireLease('deploy/1', 'a', TTL_MS);
        expect(lease?.name).toBe('deploy/1');
        expect(await other.acquireLease('deploy/1', 'b', TTL_MS)).toBeUndefined();
        expect(await other.acquireLease('deploy/2', 'b', TTL_MS)).toBeDefined();
        await other.close();
      });

      it('lets exactly one of several racers have it', async () => {
        const racers = ['a', 'b', 'c'].map((holder) => store.acquireLease('one', holder, TTL_MS));
        expect((await Promise.all(racers)).filter(Boolean)).toHaveLength(1);
      });

      it('raises the token with each holder', async () => {
        const first = await store.acquireLease('one', 'a', TTL_MS);
        await first?.release();
        const second = await store.acquireLease('one', 'b', TTL_MS);
        await subject.passTime(TTL_MS * 2);
        const third = await store.acquireLease('one', 'c', TTL_MS);
        const tokens = [first, second, third].map((lease) => lease?.token ?? 0);
        expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
        expect(tokens).not.toContain(0);
      });

      it('lives on while it is renewed', async () => {
        const lease = await store.acquireLease('one', 'a', TTL_MS);
        for (let index = 0; index < 3; index += 1) {
          await subject.passTime(TTL_MS * 0.6);
          expect(await lease?.renew()).toBe(true);
        }
        expect(await store.acquireLease('one', 'b', TTL_MS)).toBeUndefined();
      });

      it('cannot be renewed once expired, even if nobody took it', async () => {
        const lease = await store.acquireLease('one', 'a', TTL_MS);
        await subject.passTime(TTL_MS * 2);
        expect(await lease?.renew()).toBe(false);
        expect(await lease?.renew()).toBe(false);
      });

      it('cannot be renewed or released by a holder who lost it', async () => {
        const stale = await store.acquireLease('one', 'a', TTL_MS);
        await subject.passTime(TTL_MS * 2);
        const current = await store.acquireLease('one', 'b', TTL_MS);
        expect(await stale?.renew()).toBe(false);
        await stale?.release();
        expect(await current?.renew()).toBe(true);
      });

      it('goes to the same holder again at once, under a new token', async () => {
        const before = await store.acquireLease('one', 'a', TTL_MS);
        const after = await store.acquireLease('one', 'a', TTL_MS);
        expect(after?.token).toBeGreaterThan(before?.token ?? 0);
        expect(await before?.renew()).toBe(false);
        expect(await after?.renew()).toBe(true);
      });

      it('can be released twice', async () => {
        const lease = await store.acquireLease('one', 'a', TTL_MS);
        await lease?.release();
        await lease?.release();
        expect(await lease?.renew()).toBe(false);
        expect(await store.acquireLease('one', 'b', TTL_MS)).toBeDefined();
      });
    });

    it('keeps everything when it is closed and opened again', async () => {
      const { revision } = await store.transact([], [put('a', 1)]);
      const lease = await store.acquireLease('one', 'a', 10_000);
      await store.close();
      store = await subject.connect(acceptAll);
      expect(await store.get('a')).toEqual({ key: 'a', value: 1, revision });
      expect((await store.transact([], [put('b', 1)])).revision).toBeGreaterThan(revision);
      expect(await store.acquireLease('one', 'b', 10_000)).toBeUndefined();
      const again = await store.acquireLease('one', 'a', 10_000);
      expect(again?.token).toBeGreaterThan(lease?.token ?? 0);
    });

    it('can be closed twice', async () => {
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
    });
  });
}
