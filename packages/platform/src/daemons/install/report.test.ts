import { describe, expect, it } from 'vitest';
import type { RunningInstallation } from './bring-up.ts';
import { report } from './report.ts';

const MIB = 1024 * 1024;
const running = (name: string, started: string[]): RunningInstallation =>
  ({
    installation: { name },
    started,
    status: {
      urlTemplate: 'http://NAME.localhost:8080',
      memory: { roomBytes: 512 * MIB },
      warnings: ['the clock is wrong'],
    },
  }) as unknown as RunningInstallation;

const memory = [
  { name: 'agent', processes: 1, pssBytes: 60 * MIB },
  { name: 'balancer', processes: 2, pssBytes: 70 * MIB },
];

describe('report', () => {
  it('says where apps answer, what it costs, what is left and what to do next', () => {
    const exampleUrls = ['http://guestbook.localhost:8080'];
    const text = report({
      running: running('default', ['agent']),
      memory,
      exampleUrls,
      onPath: true,
    });
    expect(text).toContain('Tandem is up: installation default; started agent.');
    expect(text).toContain('Example site   http://guestbook.localhost:8080');
    expect(text).toContain('http://NAME.localhost:8080');
    expect(text).toMatch(/balancer x 2 +70 MiB/);
    expect(text).toMatch(/together +130 MiB/);
    expect(text).toMatch(/Room left for apps +512 MiB/);
    expect(text).toContain('\n  tandem deploy\n');
    expect(text).toContain('Warning: the clock is wrong');
  });

  it('says that nothing was changed', () => {
    const text = report({ running: running('default', []), memory, exampleUrls: [], onPath: true });
    expect(text).toContain('up already');
    expect(text).not.toContain('Example');
  });

  it('names another installation in the command, and a tandem that is not on PATH', () => {
    const text = report({ running: running('t1', []), memory, exampleUrls: [], onPath: false });
    expect(text).toContain('node packages/cli/dist/tandem.js --installation t1 deploy');
    expect(text).toContain('Another program is called tandem');
  });
});
