// What needs no environment, for every trap.
import { describe, expect, it } from 'vitest';
import { detect } from '../../../packages/platform/src/builder/detect/detect.ts';
import { memoryTree } from '../../../packages/platform/src/builder/detect/source-tree.ts';
import { DJANGO_TRAPS, OTHER_TRAPS, type Trap } from './index.ts';

const findingsOf = ({ files, config = {} }: Trap) =>
  detect(memoryTree(files), { pythonVersions: ['3.11.7', '3.12.1', '3.13.0'], config }).findings;

describe.each([
  ['a Django project that', DJANGO_TRAPS],
  ['a project that', OTHER_TRAPS],
])('%s', (_kind, traps) => {
  it.each(traps.filter(({ finds }) => finds.length > 0))('$name', (trap) => {
    const found = findingsOf(trap);
    for (const wanted of trap.finds) {
      expect(found).toContainEqual(expect.objectContaining(wanted));
    }
  });
});

it('every trap ends somewhere, and a third of them is quick', () => {
  const all = [...DJANGO_TRAPS, ...OTHER_TRAPS];
  for (const { name, answers, refused } of all) {
    expect(Number(answers !== undefined) + Number(refused !== undefined), name).toBe(1);
  }
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(all.filter(({ quick }) => quick).length).toBeGreaterThanOrEqual(all.length / 3);
});
