import { expect, it } from 'vitest';
import { machineMemory, pssBytes } from './process-memory.ts';

it('counts our own memory', async () => {
  expect(await pssBytes(process.pid)).toBeGreaterThan(1024 * 1024);
});

it('knows nothing of a process that is gone', async () => {
  expect(await pssBytes(2 ** 22)).toBeUndefined();
});

it('knows the machine', async () => {
  const { totalBytes, availableBytes } = await machineMemory();
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThan(totalBytes);
});
