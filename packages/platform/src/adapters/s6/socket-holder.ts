// s6-fdholderd as a service: it keeps listening sockets open while the daemons behind them restart.
import { join } from 'node:path';
import { runToExit } from '../../lib/run-command.ts';
import type { ServiceFile } from './service-directory.ts';
import type { Service } from './service.ts';

const SOCKETS_MAX = 64;

export function holderService(scanDirectory: string): Service {
  const path = holderSocket(scanDirectory);
  return {
    name: 'sockets',
    // A connection that says nothing is dropped after 5 s.
    argv: ['s6-fdholder-daemon', '-n', String(SOCKETS_MAX), '-t', '5000', '-i', 'rules', path],
    dependsOn: [],
    ready: { kind: 'unix-socket', path },
    stop: { signal: 'SIGTERM', graceMs: 2_000 },
  };
}

export function holderSocket(scanDirectory: string): string {
  return join(scanDirectory, 'sockets', 'holder');
}

/** Access rules in the form of s6-accessrules: root may do all, nobody else anything. */
export function holderRules(): ServiceFile[] {
  const rule = (path: string, content: string) => ({
    path: `rules/uid/0/${path}`,
    content,
    executable: false,
  });
  return [
    rule('allow', ''),
    rule('env/S6_FDHOLDER_LIST', '1\n'),
    rule('env/S6_FDHOLDER_STORE_REGEX', '.\n'),
    rule('env/S6_FDHOLDER_RETRIEVE_REGEX', '.\n'),
  ];
}

export async function heldSockets(scanDirectory: string): Promise<string[]> {
  const argv = ['s6-fdholder-list', '-t', '5000', holderSocket(scanDirectory)] as const;
  const result = await runToExit(argv, { timeoutMs: 6_000 });
  return result.exitCode === 0 ? result.stdout.split('\n').filter((name) => name !== '') : [];
}
