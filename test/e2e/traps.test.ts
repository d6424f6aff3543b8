// A third of the traps that real projects hold, through the whole platform; all of them in test/long.
import { beforeAll, describe, it } from 'vitest';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import { deployTrap } from '../support/traps/deploy-trap.ts';
import { DJANGO_TRAPS, OTHER_TRAPS } from '../support/traps/index.ts';

/** The others are deployed a second time in test/long. */
const AGAIN_EVERY = 8;

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
      const again = index % AGAIN_EVERY === 0;
      await deployTrap(t, trap, { app: `trap-${prefix}-${index}`, again });
    },
  );
});
