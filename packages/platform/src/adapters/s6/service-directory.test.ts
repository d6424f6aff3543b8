import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serviceFiles } from './service-directory.ts';
import type { Service } from './service.ts';

const context = { holderSocket: '/run/t/services/sockets/holder', logDirectory: '/var/log/t/web' };
const service: Service = {
  name: 'web',
  argv: ['/bin/serve', '--title', "it's"],
  dependsOn: [],
  ready: { kind: 'running' },
  stop: { signal: 'SIGTERM', graceMs: 30_000 },
};

const fileOf = (of: Service, path: string): string => {
  const file = serviceFiles(of, context).find((each) => each.path === path);
  if (!file) throw new Error(`no ${path}`);
  return file.content;
};

describe('serviceFiles', () => {
  it('runs argv word for word, in the place of the shell', () => {
    expect(fileOf(service, 'run')).toContain(`exec /bin/serve --title 'it'\\''s'\n`);
  });

  it('quotes what the environment holds', () => {
    const env = { PLAIN: 'x', NASTY: "a b'$(touch /tmp/x)" };
    const run = fileOf({ ...service, env }, 'run');
    expect(run).toContain('export PLAIN=x\n');
    expect(run).toContain(`export NASTY='a b'\\''$(touch /tmp/x)'\n`);
  });

  it('drops to the user of the service, supplementary groups included', () => {
    const run = fileOf({ ...service, user: { uid: 7, gid: 8 } }, 'run');
    expect(run).toContain(`exec s6-applyuidgid -u 7 -g 8 -G '' /bin/serve`);
  });

  it('takes the socket from the holder, as root, before it drops to the user', () => {
    const socket = { name: 'http', port: 80, bind: ['/bin/hold', 'http'] as const };
    const run = fileOf({ ...service, sockets: [socket], user: { uid: 7, gid: 8 } }, 'run');
    expect(run).toContain(`| grep -qx http || /bin/hold http\n`);
    expect(run).toMatch(/exec s6-fdholder-retrieve \S+ http s6-applyuidgid .* \/bin\/serve/);
  });

  it('takes a second socket before the first, and moves it out of the way', () => {
    const sockets = ['http', 'https'].map((name) => ({
      ...{ name, port: 80, bind: ['/bin/hold', name] as const },
    }));
    const run = fileOf({ ...service, sockets }, 'run');
    expect(run).toContain(`| grep -qx https || /bin/hold https\n`);
    expect(run).toMatch(
      /exec s6-fdholder-retrieve \S+ https \/bin\/sh -c 'exec "\$@" 3<&0' sh s6-fdholder-retrieve \S+ http \/bin\/serve/,
    );
  });

  it('tells s6 how to stop it', () => {
    expect(fileOf(service, 'down-signal')).toBe('SIGTERM\n');
    expect(fileOf(service, 'timeout-kill')).toBe('30000\n');
  });

  it('waits in the finish script for less time than s6 gives it', () => {
    const longestS = Math.max(...(fileOf(service, 'finish').match(/\d+/g) ?? []).map(Number));
    expect(Number(fileOf(service, 'timeout-finish'))).toBeGreaterThan(8_000);
    expect(longestS).toBeLessThan(1_000);
  });
});

describe('finish script', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tandem-finish-'));
    // `sleep` that only says for how long.
    writeFileSync(join(directory, 'sleep'), '#!/bin/sh\necho "$1"\n', { mode: 0o755 });
    writeFileSync(join(directory, 'finish'), fileOf(service, 'finish'), { mode: 0o755 });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const die = (ranS: number, exit = '1', signal = '0'): string => {
    const startedS = Math.floor(Date.now() / 1000) - ranS;
    writeFileSync(join(directory, 'started'), `${startedS}\n`);
    const env = { PATH: `${directory}:/usr/bin:/bin` };
    const result = spawnSync('./finish', [exit, signal], { cwd: directory, env });
    expect(result.stderr.toString()).toBe('');
    return result.stdout.toString().trim();
  };

  it('waits longer with each crash, up to a bound', () => {
    expect([die(0), die(0), die(0), die(0), die(0), die(0)]).toEqual([
      '0',
      '1',
      '2',
      '4',
      '8',
      '8',
    ]);
  });

  it('begins again after a long run', () => {
    die(0);
    die(0);
    expect(die(3_600)).toBe('0');
    expect(die(0)).toBe('1');
  });

  it('does not wait after a clean end or a TERM', () => {
    die(0);
    expect(die(0, '256', '15')).toBe('');
    expect(die(0)).toBe('0');
    expect(die(0, '0')).toBe('');
  });

  it('waits after a KILL', () => {
    die(0, '256', '9');
    expect(die(0, '256', '9')).toBe('1');
    expect(readFileSync(join(directory, 'crashes'), 'utf8')).toBe('2\n');
  });
});
