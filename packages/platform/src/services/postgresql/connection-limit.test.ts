import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../domain/limits.ts';
import { connectionLimit } from './connection-limit.ts';

const size = { memoryBytes: 512 * 1024 * 1024 };
const { connectionsPerRoleMax, connectionsPerRoleMin, connectionsReserve } = LIMITS.postgresql;

describe('connectionLimit', () => {
  it('leaves room for the old and the new instances and for a job', () => {
    const threads = 3 * LIMITS.gunicorn.threads;
    expect(connectionLimit({ formation: { web: { count: 1, ...size } }, cores: 2 })).toBe(
      2 * threads + connectionsReserve,
    );
  });

  it('counts processes of other types', () => {
    const web = { count: 1, ...size };
    const withWorker = connectionLimit({ formation: { web, worker: { count: 2, ...size } } });
    expect(withWorker).toBe(
      connectionLimit({ formation: { web } }) + 4 * LIMITS.postgresql.connectionsPerProcess,
    );
  });

  it('never goes below the minimum, also for an app that runs nothing', () => {
    expect(connectionLimit({ formation: {} })).toBe(connectionsPerRoleMin);
    expect(connectionLimit({ formation: { web: { count: 0, ...size } } })).toBe(
      connectionsPerRoleMin,
    );
  });

  it('never lets one app fill the cluster', () => {
    const limit = connectionLimit({ formation: { web: { count: 100, ...size } } });
    expect(limit).toBe(connectionsPerRoleMax);
    expect(limit).toBeLessThan(LIMITS.postgresql.connectionsMax / 2 + 1);
  });
});
