// Minutes of everything that happens to a balancer, all at once: what it holds afterwards is what it
// held before.
import { it } from 'vitest';
import { soak } from '../support/soak.ts';

it('nothing is left behind', () => soak({ rounds: 9, roundMs: 30_000 }), 600_000);
