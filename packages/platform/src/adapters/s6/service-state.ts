// What s6-supervise says about a service, and whether the daemon itself answers.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand, runToExit } from '../../lib/run-command.ts';
import type { ReadyCheck } from './service.ts';

const CONTROL_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 1_000;
const POLL_MS = 30;

export interface ServiceState {
  readonly pid: number | undefined;
  readonly wantedUp: boolean;
}

/** Undefined while no s6-supervise looks after the directory. */
export async function serviceState(directory: string): Promise<ServiceState | undefined> {
  const argv = ['s6-svstat', '-o', 'up,pid,wantedup', directory] as const;
  const result = await runToExit(argv, { timeoutMs: CONTROL_TIMEOUT_MS });
  if (result.exitCode !== 0) return undefined;
  const [up, pid, wantedUp] = result.stdout.trim().split(' ');
  return { pid: up === 'true' ? Number(pid) : undefined, wantedUp: wantedUp === 'true' };
}

export async function controlService(directory: string, ...options: string[]): Promise<void> {
  await runCommand(['s6-svc', ...options, directory], { timeoutMs: CONTROL_TIMEOUT_MS });
}

export async function isReady(check: ReadyCheck): Promise<boolean> {
  switch (check.kind) {
    case 'running':
      return true;
    case 'unix-socket':
      return await exchange({ path: check.path });
    case 'http':
      return await exchange(
        { host: '127.0.0.1', port: check.port },
        'GET / HTTP/1.1\r\nHost: ready.invalid\r\nConnection: close\r\n\r\n',
      );
  }
}

/** Polls `condition` until it holds; false when it did not within `timeoutMs`. */
export async function waitFor(
  condition: () => Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
}

/** Connected, and with `say` also answered. */
async function exchange(
  target: { path: string } | { host: string; port: number },
  say?: string,
): Promise<boolean> {
  const socket = connect(target);
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
  return await new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once(say === undefined ? 'connect' : 'data', () => {
      resolve(true);
      socket.destroy();
    });
    if (say !== undefined) socket.once('connect', () => socket.write(say));
  });
}
