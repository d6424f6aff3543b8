import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../domain/limits.ts';
import { connectionLimit } from './connection-limit.ts';

const { memoryBytes } = LIMITS.instance;
const web = { count: 1, memoryBytes };
const {
  connectionsMax,
  connectionsPerProcess,
  connectionsPerRoleMax,
  connectionsPerRoleMin,
  connectionsReserve,
} = LIMITS.postgresql;

describe('connectionLimit', () => {
  it('leaves room for every thread of the old and the new instances, and for a job', () => {
    const threads = 2 * LIMITS.gunicorn.threads;
    expect(connectionLimit({ formation: { web } })).toBe(2 * threads + connectionsReserve);
  });

  it('grows with the size, as the number of web workers does', () => {
    const large = connectionLimit({
      formation: { web: { count: 1, memoryBytes: 2 * memoryBytes } },
    });
    expect(large).toBe(2 * 3 * LIMITS.gunicorn.threads + connectionsReserve);
  });

  it('gives a small instance as much as one of the default size', () => {
    const small = { count: 1, memoryBytes: memoryBytes / 4 };
    expect(connectionLimit({ formation: { web: small } })).toBe(
      connectionLimit({ formation: { web } }),
    );
  });

  it('counts processes of other types', () => {
    const withWorkers = connectionLimit({ formation: { web, worker: { count: 2, memoryBytes } } });
    expect(withWorkers).toBe(connectionLimit({ formation: { web } }) + 4 * connectionsPerProcess);
  });

  it('never goes below the minimum, also for an app that runs nothing', () => {
    expect(connectionLimit({ formation: {} })).toBe(connectionsPerRoleMin);
    const none = { count: 0, memoryBytes };
    expect(connectionLimit({ formation: { web: none } })).toBe(connectionsPerRoleMin);
  });

  it('never lets one app fill the cluster', () => {
    const limit = connectionLimit({ formation: { web: { count: 100, memoryBytes } } });
    expect(limit).toBe(connectionsPerRoleMax);
    expect(limit).toBeLessThanOrEqual(connectionsMax / 2);
  });
});
