// Every trap that real projects hold, through a whole installation of its own.
import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  createInstallation,
  destroyInstallation,
  TestInstallation,
  type InstallationPlace,
} from '../support/installation.ts';
import { deployTrap } from '../support/traps/deploy-trap.ts';
import { DJANGO_TRAPS, OTHER_TRAPS } from '../support/traps/index.ts';

let place: InstallationPlace;
let t: TestInstallation;
beforeAll(async () => {
  place = await createInstallation();
  t = await TestInstallation.open(place);
});
afterAll(() => destroyInstallation(place));

describe.each([
  ['a Django project that', 'django', DJANGO_TRAPS],
  ['a project that', 'other', OTHER_TRAPS],
])('%s', (_kind, prefix, traps) => {
  it.each(traps.map((trap, index) => ({ ...trap, index })))('$name', async ({ index, ...trap }) => {
    await deployTrap(t, trap, { app: `trap-${prefix}-${index}`, again: true });
  });
});
