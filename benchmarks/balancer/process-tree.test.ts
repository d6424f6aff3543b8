import { describe, expect, it } from 'vitest';
import { coreTicks, cpuSeconds, cpuTicks, processTree, workerBytes } from './process-tree.ts';

describe('what a process used', () => {
  it('adds user and system time whatever the process is called', () => {
    const rest = 'S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20 0 1 0 99';
    expect(cpuTicks(`4711 (nginx) ${rest}`)).toBe(150);
    expect(cpuTicks(`4711 (a) (b c) ${rest}`)).toBe(150);
  });

  it('is nothing for a process that has ended', async () => {
    expect(cpuTicks('')).toBe(0);
    expect(await workerBytes(2 ** 30)).toBe(0);
  });

  it('is something for this one', async () => {
    expect((await processTree(process.pid))[0]).toBe(process.pid);
    expect(await cpuSeconds(process.pid)).toBeGreaterThan(0);
    expect(await workerBytes(process.pid)).toBeGreaterThan(1024 * 1024);
  });
});

describe('what a core was used for', () => {
  it('is everything but waiting, and only of that core', () => {
    const stat =
      'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 4 100 100 8 16 32 64 0\ncpu1 7 0 0 0 0 0 0 0 0 0\n';
    expect(coreTicks(stat, 0)).toBe(63);
    expect(coreTicks(stat, 1)).toBe(7);
  });
});
