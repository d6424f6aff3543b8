import { describe, expect, it } from 'vitest';
import { decideLiveness, initialLiveness, type LivenessEvent } from './liveness.ts';

type Kind = LivenessEvent['kind'];

/** What is decided after the last of these events. */
function after(...kinds: Kind[]) {
  let decision = { state: initialLiveness, replace: false } as ReturnType<typeof decideLiveness>;
  for (const kind of kinds) decision = decideLiveness(decision.state, { kind });
  return decision;
}

describe('decideLiveness', () => {
  it.each<[boolean, ...Kind[]]>([
    [false, 'alive'],
    [false, 'failed'],
    [false, 'failed', 'failed'],
    [true, 'failed', 'failed', 'failed'],
    [true, 'failed', 'failed', 'failed', 'failed'],
    [false, 'failed', 'failed', 'alive', 'failed', 'failed'],
    [false, 'failed', 'failed', 'served', 'failed', 'failed'],
    [true, 'served', 'failed', 'failed', 'failed'],
    [true, 'failed', 'served', 'failed', 'failed', 'failed'],
    [false, 'failed', 'failed', 'failed', 'served'],
    [false, 'failed', 'failed', 'failed', 'alive', 'failed'],
  ])('replaces: %s after %s %s %s %s %s', (replace, ...kinds) => {
    expect(after(...kinds).replace).toBe(replace);
  });

  it('says why', () => {
    expect(after('failed', 'failed', 'failed').reason).toMatch(/^unresponsive: 3 probes failed/);
    expect(after('failed').reason).toBeUndefined();
  });

  it('takes another bound', () => {
    expect(decideLiveness(initialLiveness, { kind: 'failed' }, 1).replace).toBe(true);
  });
});
