// A worker of a standalone balancer: does what its parent says, and finishes when the parent is gone.
// Not by the index: a worker has no use for the parsers of the routes file, and is smaller without.
import { RequestLog } from '../../balancer/request-log.ts';
import { StandaloneBalancer } from '../../balancer/standalone-balancer.ts';
import { CertificateShelf } from '../../balancer/tls/certificate-shelf.ts';
import { dropPrivileges } from '../../lib/privileges.ts';
import { LogFile } from './log-file.ts';
import { unpackApps } from './packed-apps.ts';
import type { AccessLogTarget, FromWorker, TlsMessage, ToWorker } from './messages.ts';

type Serve = Extract<ToWorker, { type: 'serve' }>;

interface Serving {
  readonly balancer: StandaloneBalancer;
  readonly reopenLog: () => Promise<void>;
  readonly closeLog: () => Promise<void>;
}

const EXIT_FAILED = 70;

const log = (line: string): void =>
  void process.stderr.write(`balancer: worker ${process.pid}: ${line}\n`);
const tell = (message: FromWorker): void => {
  if (process.connected) process.send?.(message);
};

process.stderr.on('error', () => undefined);

/** Changes may come before it serves. */
const certificates = new CertificateShelf({ log });
let serving: Serving | undefined;
let closing: Promise<void> | undefined;
let timesAsked = 0;

process.on('message', (message: ToWorker) => {
  take(message).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    tell({ type: 'failed', reason });
    // After the message has left.
    process.disconnect();
    process.exitCode = EXIT_FAILED;
    setImmediate(() => process.exit());
  });
});
process.on('disconnect', () => void close());
// Of a terminal or a process group, also the parent gets them and decides.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined);
process.on('SIGTERM', () => void close());

async function take(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'serve':
      serving = await serve(message);
      return tell({ type: 'serving' });
    case 'routes':
      serving?.balancer.changeRoutes(unpackApps(message.apps));
      return tell({ type: 'applied' });
    case 'tls':
      return changeTls(message);
    case 'reopen-log':
      return await serving?.reopenLog();
    case 'close':
      timesAsked += 1;
      if (timesAsked > 1) process.exit(EXIT_FAILED);
      return await close();
  }
}

async function serve(order: Serve): Promise<Serving> {
  const { user, accessLog, trustedPeers, proxyProtocol, apps, listenFds, tls } = order;
  if (user) dropPrivileges(user);
  if (tls) changeTls(tls);
  const { onAccess, reopenLog, closeLog } = await openRequestLog(accessLog);
  const balancer = new StandaloneBalancer({
    ...{ trustedPeers, proxyProtocol, certificates, onAccess, log },
  });
  balancer.setRoutes(unpackApps(apps));
  for (const { fd, isTls } of listenFds)
    await (isTls ? balancer.listenTls({ fd }) : balancer.listen({ fd }));
  return { balancer, reopenLog, closeLog };
}

function changeTls(message: TlsMessage): void {
  certificates.setTicketKeys(Buffer.from(message.ticketKeys, 'base64'));
  certificates.set(message.certificates);
}

async function openRequestLog(target: AccessLogTarget) {
  const nothing = (): Promise<void> => Promise.resolve();
  if (target.kind === 'off')
    return { onAccess: () => undefined, reopenLog: nothing, closeLog: nothing };
  let file = await LogFile.open(target);
  const requests = new RequestLog(file, log);
  return {
    onAccess: requests.record.bind(requests),
    reopenLog: async () => {
      const before = file;
      try {
        file = await LogFile.open(target);
      } catch (error) {
        log(`the access log stays as it was: ${String(error)}`);
        return;
      }
      await requests.replaceSink(file);
      await before.close();
    },
    closeLog: () => requests.flush(),
  };
}

/** Bounded by the grace of the server. */
function close(): Promise<void> {
  closing ??= (async () => {
    await serving?.balancer.close();
    await serving?.closeLog();
    process.exit(0);
  })();
  return closing;
}
