// Composition of the agent: adapters, then runner, builder and nexus on top of them.
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createTransportServer,
  ensureCurveKeys,
  ipcEndpoints,
  writeAdmittedKeys,
} from '../../adapters/zeromq/index.ts';
import { openSqliteStore } from '../../adapters/sqlite-store/sqlite-store.ts';
import { readInstallation } from '../../adapters/installation-registry/installation-file.ts';
import { PLATFORM_UID, platformUid, type Installation } from '../../domain/installation.ts';
import { machineMemory } from '../../lib/process-memory.ts';
import { systemClock } from '../../lib/system-clock.ts';
import type { NexusContext } from '../../nexus/context.ts';
import { Repository } from '../../nexus/documents/repository.ts';
import { validateDocument } from '../../nexus/documents/schemas.ts';
import { CertificatePublisher } from '../../nexus/certificates/certificate-publisher.ts';
import { createResolver } from '../../nexus/resolver/index.ts';
import { openClusterKeys } from '../../nexus/secrets/secret-box.ts';
import { keysDirectory, nexusSocket, pathsOf, storeFile, type Paths } from '../../ports/paths.ts';
import { BALANCER_MESSAGES } from '../../ports/balancer-messages.ts';
import type { TransportServer } from '../../ports/transport.ts';
import { readLogs } from '../../telemetry/log-reader.ts';
import { balancerCount, balancerName } from '../install/machine.ts';
import { AccessLog } from './access-log.ts';
import { keepLogs } from './log-housekeeping.ts';
import { openNode } from './node.ts';
import { startNexus } from './nexus.ts';
import type { AgentOptions } from './options.ts';
import { openAppRedis } from './app-redis.ts';
import { createPlatformProbe } from './platform-probe.ts';
import { openSharedDatabase } from './shared-database.ts';

const VERSION = '0.1.0';
/** Workers that take longer are ended by `script/down`. */
const END_TIMEOUT_MS = 120_000;

export interface RunningAgent {
  /** Resolves when everything of the agent's own has ended; instances go on. */
  readonly stopped: Promise<void>;
  /** Before a shutdown of the whole platform: apps, then databases. */
  endInstances(): Promise<void>;
}

export async function startAgent(
  options: AgentOptions,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<RunningAgent> {
  const paths = pathsOf(options.installation, { data: options.dataRoot, run: options.runRoot });
  const installation = await readInstallation(paths);
  const store = await openSqliteStore({
    path: storeFile(paths),
    validate: validateDocument,
    clock: systemClock,
  });
  const repository = new Repository(store);
  const secrets = await openClusterKeys(keysDirectory(paths));
  const node = await openNode({ installation, paths, environment, sandbox: options.sandbox });
  const server = await openTransport(installation, paths);
  const accessLog = new AccessLog(paths, (id) => node.runner.noteServed(id));
  const certificatePublisher = new CertificatePublisher({ server, clock: systemClock, report });
  const resolver = createResolver({
    server,
    answerOther: (message) => certificatePublisher.answer(message),
    lastEpoch: await repository.lastEpoch(),
    persistEpoch: (epoch) => repository.persistEpoch(epoch),
    // Those the supervisor runs: known before they have said hello, so nobody waits for more.
    expectedBalancers: Array.from({ length: balancerCount() }, (_, index) => balancerName(index)),
    onAccess: (records) => accessLog.take(records),
  });
  const database = await openSharedDatabase({
    installation,
    paths,
    repository,
    secrets,
    clock: systemClock,
    stack: node.postgresqlStack,
  });
  const stack = node.redisStack;
  const redis = openAppRedis({ installation, paths, repository, clock: systemClock, stack });
  const context: Omit<NexusContext, 'isSecure'> = {
    ...{ installation, paths, repository, secrets, resolver, database, redis, readLogs, report },
    clock: systemClock,
    runner: node.runner,
    builder: node.builder,
    imageStore: node.imageStore,
    protectedLayers: () => node.protectedLayers(),
    availableMemoryBytes: async () => (await machineMemory()).availableBytes,
  };
  const platform = createPlatformProbe({
    ...{ version: VERSION, paths, resolver, database },
    examineMachine: () => node.examineMachine(),
  });
  const { certificates } = options;
  const nexus = await startNexus({
    ...{ context, platform, certificates, certificatePublisher, signal },
  });
  void keepLogs({ paths, clock: systemClock, owner: node.runner, report, signal });

  const stopped = untilAborted(signal).then(async () => {
    await nexus.close();
    await accessLog.close();
    await server.close();
    await node.runner.close();
    await store.close();
  });
  return { stopped, endInstances: () => nexus.endInstances(END_TIMEOUT_MS) };
}

async function openTransport(installation: Installation, paths: Paths): Promise<TransportServer> {
  const uid = platformUid(installation.slot, PLATFORM_UID.balancer);
  const keys = keysDirectory(paths);
  const nexusKeys = await ensureCurveKeys(keys, 'nexus');
  const balancerKeys = await ensureCurveKeys(keys, 'balancer', { uid, gid: uid });
  const admittedKeysFile = join(keys, 'admitted');
  await writeAdmittedKeys(admittedKeysFile, { balancer: balancerKeys.publicKey });
  // Balancers pass through to their own key; they cannot list what else is here.
  await chmod(keys, 0o711);
  return await createTransportServer({
    endpoints: [ipcEndpoints(nexusSocket(paths))],
    keys: nexusKeys,
    admittedKeysFile,
    schemas: BALANCER_MESSAGES,
    socketGid: uid,
    log: (line) => report(line),
  });
}

/** One line to standard error, which the supervisor keeps; the stack only of our own defects. */
function report(text: string, error?: unknown): void {
  const cause = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
  process.stderr.write(`${new Date().toISOString()} ${text}${cause}\n`);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}
