// s6-fdholderd as a service: it keeps listening sockets open while the daemons behind them restart.
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { runCommand, runToExit } from '../../lib/run-command.ts';
import type { ServiceFile } from './service-directory.ts';
import type { HeldSocket, Service } from './service.ts';

const SOCKETS_MAX = 64;
const TIMEOUT_MS = 10_000;

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

/** Binds the socket when the holder has it not. Throws MACHINE_UNFIT when the port is taken. */
export async function ensureHeld(scanDirectory: string, socket: HeldSocket): Promise<void> {
  const list = ['s6-fdholder-list', '-t', '5000', holderSocket(scanDirectory)] as const;
  const { stdout } = await runCommand(list, { timeoutMs: TIMEOUT_MS });
  if (stdout.split('\n').includes(socket.name)) return;
  const bound = await runToExit(socket.bind, { timeoutMs: TIMEOUT_MS });
  if (bound.exitCode === 0) return;
  throw new TandemError('MACHINE_UNFIT', bound.stderr.trim(), {
    hint: `ss -ltnp 'sport = :${socket.port}'   shows who listens there`,
  });
}
