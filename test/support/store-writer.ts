// Run as a process of its own: writes pairs of documents for ever and prints the number of each pair
// once its transaction is acknowledged. Somebody else kills it.
import { openSqliteStore } from '../../packages/platform/src/adapters/sqlite-store/sqlite-store.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';

const path = process.argv[2] ?? '';
const store = await openSqliteStore({
  path,
  clock: systemClock,
  validate: (_key, value) => value,
});
const last = await store.get('left');
for (let count = Number(last?.value ?? 0) + 1; ; count += 1) {
  await store.transact(
    [],
    [
      { kind: 'put', key: 'left', value: count },
      { kind: 'put', key: `log/${count % 500}`, value: 'x'.repeat(count % 5_000) },
      { kind: 'put', key: 'right', value: count },
    ],
  );
  process.stdout.write(`${count}\n`);
}
