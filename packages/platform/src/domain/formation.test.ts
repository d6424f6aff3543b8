import { describe, expect, it } from 'vitest';
import {
  completeFormation,
  jobMemoryBytes,
  planInstances,
  type PlacedInstance,
} from './formation.ts';

const MB = 1024 * 1024;

function placed(overrides: Partial<PlacedInstance> = {}): PlacedInstance {
  return {
    instanceId: 'a1-1',
    release: 1,
    processType: 'web',
    index: 1,
    memoryBytes: 512 * MB,
    desired: 'running',
    ...overrides,
  };
}

const formation = { web: { count: 2, memoryBytes: 512 * MB } };

describe('jobMemoryBytes', () => {
  it('is the largest size, and never below the default', () => {
    const of = (...sizes: number[]) =>
      Object.fromEntries(sizes.map((memoryBytes, at) => [`t${at}`, { count: 1, memoryBytes }]));
    expect(jobMemoryBytes(of(100, 900), 500)).toBe(900);
    expect(jobMemoryBytes(of(100), 500)).toBe(500);
    expect(jobMemoryBytes({}, 500)).toBe(500);
  });
});

describe('planInstances', () => {
  it('creates everything for a first release', () => {
    const plan = planInstances({ existing: [], formation, release: 1 });
    expect(plan.create.map((instance) => instance.index)).toEqual([1, 2]);
    expect(plan.retire).toEqual([]);
  });

  it('keeps what runs already and adds what is missing', () => {
    const plan = planInstances({ existing: [placed()], formation, release: 1 });
    expect(plan.keep).toHaveLength(1);
    expect(plan.create).toEqual([{ processType: 'web', index: 2, memoryBytes: 512 * MB }]);
  });

  it('retires every instance of an older release', () => {
    const plan = planInstances({ existing: [placed()], formation, release: 2 });
    expect(plan.create).toHaveLength(2);
    expect(plan.retire.map((instance) => instance.instanceId)).toEqual(['a1-1']);
  });

  it('replaces an instance whose size changed', () => {
    const plan = planInstances({
      existing: [placed({ memoryBytes: 256 * MB })],
      formation: { web: { count: 1, memoryBytes: 512 * MB } },
      release: 1,
    });
    expect(plan.create).toHaveLength(1);
    expect(plan.retire).toHaveLength(1);
  });

  it('retires what the formation no longer wants', () => {
    const plan = planInstances({
      existing: [placed(), placed({ instanceId: 'a1-2', index: 2 })],
      formation: { web: { count: 1, memoryBytes: 512 * MB } },
      release: 1,
    });
    expect(plan.retire.map((instance) => instance.index)).toEqual([2]);
  });

  it('leaves alone what is going already', () => {
    const plan = planInstances({
      existing: [placed({ desired: 'draining' })],
      formation: {},
      release: 1,
    });
    expect(plan.retire).toEqual([]);
  });

  it('replaces everything on restart', () => {
    const plan = planInstances({
      existing: [placed()],
      formation,
      release: 1,
      isOutdated: () => true,
    });
    expect(plan.keep).toEqual([]);
    expect(plan.create).toHaveLength(2);
    expect(plan.retire).toHaveLength(1);
  });
});

describe('completeFormation', () => {
  it('runs unnamed process types once and forgets types the release lacks', () => {
    const web = { kind: 'web', command: 'x' } as const;
    const complete = completeFormation({ old: { count: 3, memoryBytes: 1 } }, { web }, 512 * MB);
    expect(complete).toEqual({ web: { count: 1, memoryBytes: 512 * MB } });
  });
});
