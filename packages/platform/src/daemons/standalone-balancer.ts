// Composition root of a balancer that serves alone, by a file: binds, watches the file, keeps workers.
import { toTandemError } from '@tandem/protocol';
import { type RouteGroup, RoutesFileTable } from '../balancer/index.ts';
import { formatSocketAddress } from '../domain/socket-address.ts';
import type { ListenFd } from './standalone-balancer/messages.ts';
import { checkInherited, ListeningSockets } from './standalone-balancer/listening-sockets.ts';
import { HELP, parseOptions, type StandaloneOptions } from './standalone-balancer/options.ts';
import { HASH_PASSWORD, hashOfInput } from './standalone-balancer/password-input.ts';
import { packApps } from './standalone-balancer/packed-apps.ts';
import { readRoutesFile, RoutesWatch } from './standalone-balancer/routes-watch.ts';
import { TlsMaterial } from './standalone-balancer/tls-material.ts';
import { WorkerSet } from './standalone-balancer/worker-set.ts';
import { findUser, prepareLog } from './standalone-balancer/worker-user.ts';

/** As those of `tandem`, whose command this is. */
const EXIT_USAGE = 2;
const EXIT_USER = 1;
const EXIT_FAILED = 70;

const log = (text: string): void =>
  void process.stderr.write(text.replaceAll(/^/gm, 'balancer: ') + '\n');

// Whoever reads it may leave; that is no reason to stop serving.
process.stderr.on('error', () => undefined);

try {
  const argv = process.argv.slice(2);
  const hashes = argv.length === 1 && argv[0] === HASH_PASSWORD;
  const options = hashes ? undefined : parseOptions(argv);
  if (hashes) process.stdout.write(`${await hashOfInput(process.stdin)}\n`);
  else if (!options) process.stdout.write(HELP);
  else if (options.check) await check(options);
  else await serve(options);
} catch (thrown) {
  const error = toTandemError(thrown);
  log(error.code === 'INTERNAL' && thrown instanceof Error ? String(thrown.stack) : error.message);
  if (error.hint !== undefined) log(error.hint);
  if (error.code === 'USAGE') process.exit(EXIT_USAGE);
  process.exit(error.kind === 'user' ? EXIT_USER : EXIT_FAILED);
}

async function check({ routes: path }: StandaloneOptions): Promise<void> {
  const { groups } = await readRoutesFile(path);
  process.stdout.write(`${path}: ${count(groups)}\n`);
}

async function serve(options: StandaloneOptions): Promise<void> {
  const { accessLog, trustedPeers, proxyProtocol, routes: path } = options;
  const user = options.user === undefined ? undefined : await findUser(options.user);
  const table = new RoutesFileTable();
  const tls =
    options.listenTls.length === 0
      ? undefined
      : await TlsMaterial.read({
          files: options.certificates,
          onChange: (message) => workers.changeTls(message),
          log,
        });
  const workers = new WorkerSet({
    count: options.workers,
    order: () => ({
      ...{ user, trustedPeers, proxyProtocol, accessLog },
      ...{ apps: packApps(table.apps), tls: tls?.message },
    }),
    log,
  });
  const watch = new RoutesWatch({
    path,
    log,
    onRoutes: (groups) => {
      const changed = table.replace(groups);
      log(`${path}: ${count(groups)}${workers.started ? `, ${changed.length} changed` : ''}`);
      workers.change(changed);
    },
  });
  await watch.start();
  await prepareLog(accessLog, user);
  await checkInherited(options.listenFds);
  const { listen, listenTls } = options;
  const sockets = await ListeningSockets.open([...listen, ...listenTls], options.workers);
  obeySignals({ workers, watch, tls, sockets, reopenLog: () => prepareLog(accessLog, user) });
  await startOrKill(workers, (index) => [
    ...options.listenFds.map((fd) => ({ fd, isTls: false })),
    ...sockets.fdsOf(index).map((fd, place) => ({ fd, isTls: place >= listen.length })),
  ]);
  for (const [place, address] of sockets.addresses.entries())
    log(`listening on ${formatSocketAddress(address)}${place < listen.length ? '' : ' (TLS)'}`);
  for (const fd of options.listenFds) log(`listening on descriptor ${fd}`);
}

async function startOrKill(
  workers: WorkerSet,
  listenFds: (index: number) => readonly ListenFd[],
): Promise<void> {
  try {
    await workers.start(listenFds);
  } catch (error) {
    workers.killAll();
    throw error;
  }
}

interface Parts {
  readonly workers: WorkerSet;
  readonly watch: RoutesWatch;
  readonly tls: TlsMaterial | undefined;
  readonly sockets: ListeningSockets;
  readonly reopenLog: () => Promise<void>;
}

function obeySignals({ workers, watch, tls, sockets, reopenLog }: Parts): void {
  let closing = false;
  const onEnd = (): void => {
    if (closing) {
      workers.killAll();
      process.exit(EXIT_FAILED);
    }
    closing = true;
    watch.close();
    tls?.close();
    void Promise.all([sockets.close(), workers.close()]).then(() => process.exit(0));
  };
  process.on('SIGTERM', onEnd).on('SIGINT', onEnd);
  process.on('SIGHUP', () => {
    void watch.reread();
    void tls?.reread();
    reopenLog().then(
      () => workers.reopenLog(),
      (error: unknown) => log(String(error)),
    );
  });
  process.on('SIGUSR2', () => workers.replaceAll());
}

function count(groups: readonly RouteGroup[]): string {
  const hosts = new Set(groups.flatMap(({ routes }) => routes.map(({ host }) => host))).size;
  const upstreams = new Set(
    groups.flatMap(({ routes }) =>
      routes.flatMap(({ target }) =>
        target.kind === 'upstreams' ? target.upstreams.map((one) => one.instanceId) : [],
      ),
    ),
  ).size;
  return `${plural(hosts, 'host')}, ${plural(upstreams, 'upstream')}`;
}

function plural(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
