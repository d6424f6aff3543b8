import { describe, expect, it } from 'vitest';
import { compare, judge, type Figure, type Reading } from './figure.ts';

const reading = (value: number, cpuUs = 20, busy = 1): Reading => ({ value, cpuUs, busy });

const figure = (readings: Figure['readings']): Figure => ({
  name: 'small',
  unit: 'requests/s',
  readings,
  targets: [],
});

describe('a comparison', () => {
  it('is the median of the ratios within each round, however the rounds differ', () => {
    const rounds = figure({
      ours: [reading(100), reading(10), reading(50)],
      theirs: [reading(200), reading(20), reading(500)],
    });
    expect(compare(rounds, 'ours', 'theirs').measured).toBe(0.5);
  });

  it('counts operations per CPU second: half the cost is twice as many', () => {
    const costs = figure({ ours: [reading(100, 10)], theirs: [reading(100, 20)] });
    expect(compare(costs, 'ours', 'theirs').perCpu).toBe(2);
  });

  it('is decided by CPU time when either had time to spare', () => {
    const saturated = figure({ ours: [reading(90)], theirs: [reading(100)] });
    expect(compare(saturated, 'ours', 'theirs').decidedBy).toBe('value');
    const spare = figure({ ours: [reading(90)], theirs: [reading(100, 10, 0.5)] });
    expect(compare(spare, 'ours', 'theirs').decidedBy).toBe('CPU time');
  });

  it('is decided by the values where nobody counted CPU time', () => {
    const plain = figure({ ours: [{ value: 3 }], theirs: [{ value: 2 }] });
    expect(compare(plain, 'ours', 'theirs')).toEqual({ measured: 1.5, decidedBy: 'value' });
  });
});

describe('a target', () => {
  const three = figure({ ours: [reading(90)], slow: [reading(50)], fast: [reading(100)] });

  it('against several is against the one that is hardest to match', () => {
    const target = { of: 'ours', against: ['fast', 'slow'], atLeast: 0.9 };
    expect(judge(three, target)).toMatchObject({ rival: 'fast', measured: 0.9, isMet: true });
    expect(judge(three, { ...target, atLeast: 0.91 }).isMet).toBe(false);
  });

  it('for what should be small is against the smallest', () => {
    const target = { of: 'ours', against: ['fast', 'slow'], atMost: 1.5 };
    expect(judge(three, target)).toMatchObject({ rival: 'slow', measured: 1.8, isMet: false });
  });

  it('is against the cheapest of several where CPU time decides', () => {
    const idle = figure({
      ours: [reading(100, 10, 0.5)],
      fast: [reading(110, 12, 0.5)],
      cheap: [reading(90, 8, 0.5)],
    });
    const target = { of: 'ours', against: ['fast', 'cheap'], atLeast: 0.9 };
    expect(judge(idle, target)).toMatchObject({ rival: 'cheap', perCpu: 0.8, isMet: false });
  });

  it('is missed when throughput is equal only because the rival was held back', () => {
    const held = figure({ ours: [reading(100, 10, 1)], theirs: [reading(100, 5, 0.5)] });
    const target = { of: 'ours', against: ['theirs'], atLeast: 0.9 };
    expect(judge(held, target)).toMatchObject({ measured: 1, perCpu: 0.5, isMet: false });
  });

  it('without a rival is a number of its own', () => {
    const memory = figure({ ours: [{ value: 61 }, { value: 59 }, { value: 60 }] });
    expect(judge(memory, { of: 'ours', atMost: 60 })).toMatchObject({ measured: 60, isMet: true });
  });

  it('names what was never measured', () => {
    expect(() => judge(three, { of: 'nobody', atMost: 1 })).toThrow('small: nothing was measured');
  });
});
