import { expect, it } from 'vitest';
import { forgottenIn } from './forgotten-need.ts';
import { parseLock } from './lock.ts';

it.each([
  ['kombu==5.7.0\namqp==5.4.2\n', ['packaging']],
  ['kombu==5.6.2\npackaging==25.0\n', []],
  ['amqp==5.4.2\n', []],
])('%j may have forgotten %j', (lock, modules) => {
  expect(forgottenIn(parseLock(lock)).map(({ module }) => module)).toEqual(modules);
});

it('is nothing without dependencies', () => {
  expect(forgottenIn(undefined)).toEqual([]);
});
