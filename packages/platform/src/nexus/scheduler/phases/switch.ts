// The moment of the deploy: one transaction makes the release current, the new instances serving and
// the old ones draining; then every live balancer acknowledges the epoch that says so.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../../domain/limits.ts';
import type { Write } from '../../../ports/state-store.ts';
import { KEYS, put } from '../../documents/repository.ts';
import type {
  AppDocument,
  ConfigDocument,
  DeployDocument,
  InstanceDocument,
  ReleaseDocument,
} from '../../documents/schemas.ts';
import type { Phase, PhaseInput } from '../phase.ts';
import { placeInstances, planOf } from '../place-instances.ts';
import { retired } from '../retire-instance.ts';

/** Longest that old instances take to drain and to stop. */
const LEAVE_TIMEOUT_MS = LIMITS.drain.webSocketMs + LIMITS.drain.workerMs;

export const switchPhase: Phase = {
  name: 'switch',
  async run(input) {
    await commitSwitch(input);
    // From here on the release is live and nothing is undone: what fails now is tried again by the
    // keeper at its next look.
    try {
      const detail = await announce(input);
      await fillFormation(input);
      return { detail };
    } catch (error) {
      input.context.report('a switch was not announced at once', error);
      return { detail: 'balancers follow' };
    } finally {
      void input.keeper.refresh();
    }
  },
};

async function announce({ context, app, routes }: PhaseInput): Promise<string> {
  routes.release(app.id);
  const epoch = await routes.publish(app.id);
  const { acknowledged, silent } = await context.resolver.waitAcknowledged(epoch, {
    timeoutMs: LIMITS.balancer.acknowledgeTimeoutMs,
    signal: new AbortController().signal,
  });
  const total = acknowledged.length + silent.length;
  const late = silent.length === 0 ? '' : `, silent: ${silent.join(', ')}`;
  if (silent.length > 0) {
    const what = `no acknowledgement of epoch ${epoch} from ${silent.join(', ')}`;
    context.report(what, new TandemError('BALANCER_SILENT', what));
  }
  return `${acknowledged.length}/${total} balancers${late}`;
}

/**
 * What had no room beside the old instances starts in the room that they leave. Its like has passed
 * the probe; from here on it is the keeper's as any other.
 */
async function fillFormation(input: PhaseInput): Promise<void> {
  const { keeper } = input;
  const { create } = await planOf(input);
  if (create.length === 0) return;
  await keeper.refresh();
  const left = (): boolean =>
    input.deploy.oldInstances.some((id) => keeper.observed(id) !== undefined);
  await keeper.waitUntil(() => !left(), AbortSignal.timeout(LEAVE_TIMEOUT_MS));
  await placeInstances(input, { create, retire: [], onProbation: false });
}

async function commitSwitch({ context, app, deploy }: PhaseInput): Promise<void> {
  const keys = [
    KEYS.app(app.id),
    KEYS.config(app.id),
    ...(deploy.release === undefined ? [] : [KEYS.release(app.id, deploy.release)]),
    ...[...deploy.newInstances, ...deploy.oldInstances].map((id) => KEYS.instance(app.id, id)),
  ];
  // One moment for all: it is also what makes them one draining generation.
  const nowMs = context.clock.nowMs();
  await context.repository.update(keys, (read) => {
    const writes: Write[] = [
      put(KEYS.app(app.id), switchedApp(read.get(KEYS.app(app.id)) as AppDocument, deploy)),
    ];
    const config = read.get(KEYS.config(app.id)) as ConfigDocument | undefined;
    const release = deploy.release;
    if (release !== undefined) {
      const key = KEYS.release(app.id, release);
      const document = read.get(key) as ReleaseDocument;
      writes.push(put(key, liveRelease(document, deploy)));
      if (config && deploy.kind !== 'rollback') {
        const releasedRevision = document.configRevision;
        writes.push(put(KEYS.config(app.id), { ...config, releasedRevision }));
      }
    }
    for (const id of deploy.newInstances) {
      const instance = read.get(KEYS.instance(app.id, id)) as InstanceDocument;
      writes.push(put(KEYS.instance(app.id, id), { ...instance, onProbation: false }));
    }
    for (const id of deploy.oldInstances) {
      const instance = read.get(KEYS.instance(app.id, id)) as InstanceDocument | undefined;
      if (!instance) continue;
      writes.push(put(KEYS.instance(app.id, id), retired(instance, nowMs)));
    }
    return { writes, result: undefined };
  });
}

function switchedApp(app: AppDocument, deploy: DeployDocument): AppDocument {
  return {
    ...app,
    formation: { ...app.formation, ...deploy.formation },
    ...(deploy.release === undefined ? {} : { currentRelease: deploy.release }),
  };
}

function liveRelease(release: ReleaseDocument, deploy: DeployDocument): ReleaseDocument {
  const migrationsApplied = deploy.migrationsApplied ?? release.migrationsApplied;
  return { ...release, state: 'live', migrationsApplied };
}
