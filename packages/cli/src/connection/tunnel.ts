// The control socket of another machine on a local socket, through the system's own ssh: its keys,
// agent, known hosts and configuration hold. The tunnel lives as long as the command.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import { formatSshUrl, parseSshUrl, type SshTarget } from './ssh-url.ts';

const CONNECT_TIMEOUT_S = 15;
const OPEN_TIMEOUT_MS = 30_000;
/** A passphrase may have to be typed. */
const OPEN_TIMEOUT_ASKING_MS = 180_000;
const POLL_MS = 25;
const STDERR_CHARACTERS_MAX = 4_096;
/** ssh has one exit status for everything; its words are all there is. */
const ASKS_FOR_SOMETHING = /permission denied|host key verification failed|passphrase/i;

export interface TunnelOptions {
  readonly url: string;
  readonly remoteSocket: string;
  /** There is a terminal on which ssh may ask. */
  readonly interactive: boolean;
  /** A file for `ssh -F`. */
  readonly sshConfig: string | undefined;
}

export class Tunnel {
  readonly socketPath: string;
  readonly #directory: string;
  readonly #options: TunnelOptions;
  readonly #target: SshTarget;
  #child: ChildProcess | undefined;
  #stderr = '';
  readonly #endWithProcess = (): void => this.close();

  constructor(options: TunnelOptions) {
    this.#options = options;
    this.#target = parseSshUrl(options.url);
    this.#directory = mkdtempSync(join(tmpdir(), 'tandem-'));
    this.socketPath = join(this.#directory, 'control.sock');
    process.once('exit', this.#endWithProcess);
  }

  /**
   * Resolves once the socket is there; called again after a break, it opens the tunnel again. First
   * without asking, out of reach of Ctrl-C, which is for the command and not for its tunnel; only
   * where ssh must ask for something, on the terminal.
   */
  async open(): Promise<void> {
    if (this.#isAlive()) return;
    try {
      await this.#start(false);
    } catch (error) {
      if (!this.#options.interactive || !ASKS_FOR_SOMETHING.test(this.#stderr)) throw error;
      await this.#start(true);
    }
  }

  close(): void {
    process.removeListener('exit', this.#endWithProcess);
    if (this.#isAlive()) this.#child?.kill('SIGTERM');
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #isAlive(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  async #start(asking: boolean): Promise<void> {
    rmSync(this.socketPath, { force: true });
    const args = sshArguments(this.#options, this.#target, this.socketPath, asking);
    const child = spawn('ssh', args, { stdio: ['ignore', 'ignore', 'pipe'], detached: !asking });
    this.#child = child;
    this.#stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS_MAX);
    });
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', (error) => reject(this.#unreachable(error)));
      child.once('close', () => reject(this.#unreachable()));
    });
    failed.catch(() => undefined);
    await Promise.race([
      this.#listening(asking ? OPEN_TIMEOUT_ASKING_MS : OPEN_TIMEOUT_MS),
      failed,
    ]);
  }

  async #listening(limitMs: number): Promise<void> {
    const untilMs = Date.now() + limitMs;
    while (this.#isAlive() && !existsSync(this.socketPath)) {
      if (Date.now() > untilMs) {
        this.#child?.kill('SIGTERM');
        throw this.#unreachable(new Error(`no connection within ${limitMs / 1000} s`));
      }
      await sleep(POLL_MS);
    }
    // An ssh that has ended is told by the other side of the race.
    if (!this.#isAlive()) await new Promise(() => undefined);
  }

  #unreachable(cause?: Error): TandemError {
    const url = formatSshUrl(this.#target);
    const said = cause?.message ?? (this.#stderr.trim().split('\n').at(-1) || 'ssh ended');
    const port = this.#target.port === undefined ? '' : `-p ${this.#target.port} `;
    const who = this.#target.user === undefined ? '' : `${this.#target.user}@`;
    return new TandemError('PLATFORM_UNREACHABLE', `No tunnel to ${url}: ${said}`, {
      where: url,
      hint: `ssh ${port}${who}${this.#target.host} true     (must work first)`,
      cause,
    });
  }
}

function sshArguments(
  options: TunnelOptions,
  target: SshTarget,
  localSocket: string,
  asking: boolean,
): string[] {
  const set = (setting: string): string[] => ['-o', setting];
  return [
    ...(options.sshConfig === undefined ? [] : ['-F', options.sshConfig]),
    '-N', // no remote command
    '-T', // no terminal there
    ...set('ExitOnForwardFailure=yes'),
    ...set('StreamLocalBindUnlink=yes'), // a broken tunnel is opened again on the same path
    ...set('StreamLocalBindMask=0177'),
    ...set('ControlMaster=no'), // ending ours never ends a shared connection, and the other way round
    ...set('ControlPath=none'),
    ...set(`ConnectTimeout=${CONNECT_TIMEOUT_S}`),
    ...set('ServerAliveInterval=10'),
    ...set('ServerAliveCountMax=3'),
    ...set(`BatchMode=${asking ? 'no' : 'yes'}`),
    '-L',
    `${localSocket}:${options.remoteSocket}`,
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    '--',
    target.host,
  ];
}
