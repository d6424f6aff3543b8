// A third of the traps that real projects hold, through the whole platform; all of them in test/long.
import { beforeAll, describe, it } from 'vitest';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import { deployTrap } from '../support/traps/deploy-trap.ts';
import { DJANGO_TRAPS, OTHER_TRAPS } from '../support/traps/index.ts';

let t: TestInstallation;
beforeAll(async () => {
  t = await sharedInstallation();
});

describe.each([
  ['a Django project that', 'django', DJANGO_TRAPS],
  ['a project that', 'other', OTHER_TRAPS],
])('%s', (_kind, prefix, traps) => {
  it.each(traps.filter(({ quick }) => quick).map((trap, index) => ({ ...trap, index })))(
    '$name',
    async ({ index, ...trap }) => {
      await deployTrap(t, `trap-${prefix}-${index}`, trap);
    },
  );
});
