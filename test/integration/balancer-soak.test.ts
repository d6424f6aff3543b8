// Twenty seconds of everything at once leave nothing behind. Minutes of it: test/long.
import { it } from 'vitest';
import { soak } from '../support/soak.ts';

it('nothing is left behind', () => soak({ rounds: 4, roundMs: 4_000 }), 120_000);
