// A real sshd with keys and configuration of its own, on a free port of the loopback interface.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';

/** sshd wants its path to be absolute, to start itself again for every connection. */
const SSHD = '/usr/sbin/sshd';

export class SshServer {
  readonly port: number;
  /** For `ssh -F`: knows host key and user key, and nothing of this machine's own settings. */
  readonly clientConfig: string;
  readonly #daemon: ChildProcess;

  private constructor(port: number, clientConfig: string, daemon: ChildProcess) {
    this.port = port;
    this.clientConfig = clientConfig;
    this.#daemon = daemon;
  }

  static async start(directory: string): Promise<SshServer> {
    const file = (name: string): string => join(directory, name);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // Where sshd drops its privileges; no service of the machine is touched.
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    for (const name of ['host_key', 'user_key', 'stranger_key']) {
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
    }
    await copyFile(file('user_key.pub'), file('authorized_keys'));
    const port = await freePort();
    await writeFile(file('sshd_config'), serverConfig(file, port));
    await writeFile(file('ssh_config'), clientConfig(file));
    const hostKey = (await promisify(execFile)('cat', [file('host_key.pub')])).stdout;
    await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${hostKey}`);
    const daemon = spawn(SSHD, ['-D', '-e', '-f', file('sshd_config')], { stdio: 'ignore' });
    await once(daemon, 'spawn');
    await vi.waitFor(() => answers(port), { timeout: 10_000, interval: 50 });
    return new SshServer(port, file('ssh_config'), daemon);
  }

  get url(): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null) return;
    this.#daemon.kill('SIGTERM');
    await once(this.#daemon, 'close');
  }
}

async function run(command: string, args: string[]): Promise<void> {
  await promisify(execFile)(command, args);
}

function serverConfig(file: (name: string) => string, port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host_key')}`,
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    `PidFile ${file('sshd.pid')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    '',
  ].join('\n');
}

function clientConfig(file: (name: string) => string): string {
  return [
    `IdentityFile ${file('user_key')}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${file('known_hosts')}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    '',
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'data');
  socket.destroy();
}
