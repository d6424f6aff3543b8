// A nexus in this process (transport server and resolver) and balancer workers as processes of their
// own, as the supervisor runs them: own uid, shared listening socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  createTransportServer,
  ensureCurveKeys,
  ipcEndpoints,
  writeAdmittedKeys,
} from '../../packages/platform/src/adapters/zeromq/index.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import { CertificatePublisher } from '../../packages/platform/src/nexus/certificates/certificate-publisher.ts';
import { createResolver, type Resolver } from '../../packages/platform/src/nexus/resolver/index.ts';
import {
  balancerSecrets,
  balancerState,
  keysDirectory,
  nexusSocket,
  type Paths,
  pathsOf,
} from '../../packages/platform/src/ports/paths.ts';
import { BALANCER_MESSAGES } from '../../packages/platform/src/ports/balancer-messages.ts';
import type { AccessRecord } from '../../packages/platform/src/ports/route-messages.ts';
import type { TransportServer } from '../../packages/platform/src/ports/transport.ts';

const DAEMON = join(import.meta.dirname, '../../packages/platform/src/daemons/balancer.ts');
/** Any uid without rights; nothing else of the test runs under it. */
const UID = 1_899_000_000 + (process.pid % 100_000);

export class TestPlatform {
  readonly paths: Paths;
  readonly access: AccessRecord[] = [];
  readonly logged: string[] = [];
  epoch = 0;
  readonly #socket = bindSocket();
  readonly #tlsSocket: BoundSocket | undefined;
  #publisher: CertificatePublisher | undefined;
  #server: TransportServer | undefined;
  #resolver: Resolver | undefined;
  readonly #root: string;
  readonly #workers = new Map<string, ChildProcess>();

  private constructor(root: string, { tls = false }: { tls?: boolean }) {
    this.#root = root;
    this.#tlsSocket = tls ? bindSocket() : undefined;
    this.paths = pathsOf('t', { data: join(root, 'd'), run: join(root, 'r') });
  }

  /** `tls`: balancers speak it too. */
  static async create(options: { tls?: boolean } = {}): Promise<TestPlatform> {
    const root = await mkdtemp(join(tmpdir(), 'tandem-b-'));
    const platform = new TestPlatform(root, options);
    const { paths } = platform;
    for (const directory of [root, paths.data, paths.run, join(root, 'd'), join(root, 'r')]) {
      await mkdir(directory, { recursive: true });
      await chmod(directory, 0o711);
    }
    for (const directory of [balancerState(paths), balancerSecrets(paths)]) {
      await mkdir(directory, { recursive: true });
      await chown(directory, UID, UID);
    }
    const keys = await ensureCurveKeys(keysDirectory(paths), 'balancer', { uid: UID, gid: UID });
    await writeAdmittedKeys(join(keysDirectory(paths), 'admitted'), { balancer: keys.publicKey });
    return platform;
  }

  get port(): number {
    return this.#socket.port;
  }

  get tlsPort(): number {
    return this.#tlsSocket?.port ?? 0;
  }

  /** Of the nexus that runs; refuses until it is told whose certificates to follow. */
  get publisher(): CertificatePublisher {
    if (!this.#publisher) throw new Error('the nexus is not running');
    return this.#publisher;
  }

  get resolver(): Resolver {
    if (!this.#resolver) throw new Error('the nexus is not running');
    return this.#resolver;
  }

  async startNexus(expectedBalancers: readonly string[] = []): Promise<Resolver> {
    const { paths } = this;
    this.#server = await createTransportServer({
      endpoints: [ipcEndpoints(nexusSocket(paths))],
      keys: await ensureCurveKeys(keysDirectory(paths), 'nexus'),
      admittedKeysFile: join(keysDirectory(paths), 'admitted'),
      schemas: BALANCER_MESSAGES,
      socketGid: UID,
      log: (line) => this.logged.push(line),
    });
    const publisher = new CertificatePublisher({
      ...{ server: this.#server, clock: systemClock },
      report: (text) => this.logged.push(text),
    });
    this.#publisher = publisher;
    this.#resolver = createResolver({
      server: this.#server,
      answerOther: (message) => publisher.answer(message),
      lastEpoch: this.epoch,
      persistEpoch: (epoch) => {
        this.epoch = epoch;
        return Promise.resolve();
      },
      expectedBalancers,
      onAccess: (records) => this.access.push(...records),
    });
    return this.#resolver;
  }

  /** As if it were killed: no goodbye, the routes forgotten. */
  async stopNexus(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
    this.#resolver = undefined;
    this.#publisher = undefined;
  }

  /** Resolves once it serves. */
  async startBalancer(name: string): Promise<ChildProcess> {
    const { data, run } = this.paths;
    const fds = [this.#socket.fd, ...(this.#tlsSocket ? [this.#tlsSocket.fd] : [])];
    const worker = spawn(
      process.execPath,
      [
        ...['--conditions=development', DAEMON, '--installation', 't', '--name', name],
        ...['--data-root', join(data, '..'), '--run-root', join(run, '..'), '--listen-fd', '3'],
        ...(this.#tlsSocket ? ['--listen-tls-fd', '4'] : []),
        ...['--uid', String(UID)],
      ],
      { stdio: ['ignore', 'ignore', 'pipe', ...fds], env: {} },
    );
    this.#workers.set(name, worker);
    const { promise: serving, resolve, reject } = Promise.withResolvers<void>();
    createInterface({ input: worker.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      this.logged.push(line);
      if (line.endsWith(`${name} serves`)) resolve();
    });
    worker.once('exit', () => reject(new Error(`${name} ended: ${this.logged.join('\n')}`)));
    await serving;
    return worker;
  }

  async stopBalancer(
    name: string,
    signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
  ): Promise<number | null> {
    const worker = this.#workers.get(name);
    this.#workers.delete(name);
    if (!worker || worker.exitCode !== null || worker.signalCode !== null) return null;
    const exited = once(worker, 'exit');
    worker.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  pidOf(name: string): number {
    const pid = this.#workers.get(name)?.pid;
    if (pid === undefined) throw new Error(`${name} is not running`);
    return pid;
  }

  async close(): Promise<void> {
    for (const name of [...this.#workers.keys()]) await this.stopBalancer(name, 'SIGKILL');
    await this.stopNexus();
    this.#socket.close();
    this.#tlsSocket?.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

interface BoundSocket {
  readonly fd: number;
  readonly port: number;
  close(): void;
}

/** As the supervisor holds it: bound, never accepted from. No public API of Node does this. */
function bindSocket(): BoundSocket {
  const internals = process as unknown as { binding(name: 'tcp_wrap'): TcpWrap };
  const { TCP, constants } = internals.binding('tcp_wrap');
  const handle = new TCP(constants.SERVER);
  const name = { port: 0 };
  if (handle.bind('127.0.0.1', 0) !== 0 || handle.getsockname(name) !== 0)
    throw new Error('no socket could be bound');
  return { fd: handle.fd, port: name.port, close: () => handle.close() };
}

interface TcpWrap {
  readonly TCP: new (kind: number) => {
    readonly fd: number;
    bind(address: string, port: number): number;
    getsockname(out: { port: number }): number;
    close(): void;
  };
  readonly constants: { readonly SERVER: number };
}
