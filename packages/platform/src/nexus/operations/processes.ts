// What runs, what it wrote, and one-off commands.
import type { ProcessView } from '@tandem/protocol';
import { placementReason } from '../../domain/placement.ts';
import type { BuiltImage } from '../../domain/release.ts';
import { instanceAddresses } from '../../domain/installation.ts';
import type { InstanceSpec } from '../../ports/runner.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import type { ControlBackend, LogQuery, RunSession } from '../control/backend.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';
import { appLogsDirectory, jobSpec } from '../process-specs.ts';
import { ownInstances } from '../services.ts';
import type { OperationsContext } from './context.ts';

const NO_RELEASE = 0;
const RUN_TIMEOUT_MS = 24 * 60 * 60_000;

type ProcessOperations = Pick<ControlBackend, 'listProcesses' | 'logs' | 'run'>;

export function processOperations(context: OperationsContext): ProcessOperations {
  const { repository } = context;
  return {
    async listProcesses(name) {
      const app = await repository.appByName(name);
      const instances = await repository.instances(app.id);
      const numbers = [...new Set(instances.map(({ release }) => release))];
      const releases = await Promise.all(
        numbers.map(async (number) => (await repository.release(app.id, number))?.value),
      );
      const imageOf = (number: number) => releases.find((one) => one?.number === number)?.image;
      const services = await ownInstances(context, app);
      return [
        ...instances.map((instance) => viewProcess(context, instance, imageOf(instance.release))),
        ...services.map((instance) => viewService(context, instance)),
      ].toSorted((a, b) => a.name.localeCompare(b.name) || b.release - a.release);
    },
    async *logs(name, query, signal) {
      const app = await repository.appByName(name);
      yield* context.readLogs({ ...logRequest(context, app, query), signal });
    },
    async run(name, session) {
      return await runCommand(context, await repository.appByName(name), session);
    },
  };
}

export function viewProcess(
  context: OperationsContext,
  instance: InstanceDocument,
  image: BuiltImage | undefined,
): ProcessView {
  const reason = placementReason(context.installation.nodeName, image);
  const view = viewObserved(context, instance.instanceId);
  return {
    ...(reason === undefined ? {} : { reason }),
    ...view,
    name: `${instance.processType}.${instance.index}`,
    release: instance.release,
    state: instance.desired === 'draining' ? 'draining' : view.state,
    memoryLimitBytes: instance.memoryBytes,
  };
}

/** A server that only this app has; it belongs to no release. */
function viewService(context: OperationsContext, instance: InstanceSpec): ProcessView {
  return {
    ...viewObserved(context, instance.instanceId),
    name: instance.processName,
    release: NO_RELEASE,
    memoryLimitBytes: instance.memoryBytes,
  };
}

function viewObserved(context: OperationsContext, instanceId: string) {
  const observed = context.keeper.observed(instanceId);
  return {
    instanceId,
    node: context.installation.nodeName,
    state: displayState(observed?.state),
    restarts: observed?.restarts ?? 0,
    ...(observed?.memoryBytes === undefined ? {} : { memoryBytes: observed.memoryBytes }),
    ...(observed?.startedAtMs === undefined ? {} : { startedAtMs: observed.startedAtMs }),
    ...(observed?.reason === undefined ? {} : { reason: observed.reason }),
  };
}

function displayState(state: string | undefined): string {
  if (state === undefined) return 'waiting';
  if (state === 'ready') return 'running';
  if (state === 'backoff' || state === 'failed') return 'crashed';
  return state;
}

function logRequest(context: OperationsContext, app: AppDocument, query: LogQuery) {
  const { follow, tail, process, release, sinceMs, grep } = query;
  return {
    directory: appLogsDirectory(context, app.id),
    filter: {
      ...(process === undefined ? {} : { process }),
      ...(release === undefined ? {} : { release }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(grep === undefined ? {} : { grep }),
    },
    ...(tail === undefined ? {} : { tail }),
    follow,
  };
}

async function runCommand(
  context: OperationsContext,
  app: AppDocument,
  session: RunSession,
): Promise<number> {
  const release = await context.repository.currentRelease(app);
  const address = await context.repository.takeAddresses(1);
  const spec = await jobSpec(context, app, release, {
    jobId: `r${app.id}-${address}`,
    processName: 'run',
    command: shellQuote(session.request.command),
    ...instanceAddresses(context.installation, address),
    timeoutMs: RUN_TIMEOUT_MS,
  });
  const { terminal, columns, rows } = session.request;
  return await context.runner.runAttached(spec, {
    stdin: session.stdin,
    output: session.output,
    signal: session.signal,
    ...(terminal ? { terminal: { columns, rows } } : {}),
    onResize: (listener) => {
      session.onResize(listener);
    },
  });
}
