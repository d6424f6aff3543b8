// Records the release: number, image, config snapshot; and gives the app the services it wants.
import { LIMITS } from '../../../domain/limits.ts';
import { completeFormation } from '../../../domain/formation.ts';
import type { ServiceApp, ServiceKind } from '../../../ports/service-kind.ts';
import type { NexusContext } from '../../context.ts';
import { KEYS, put } from '../../documents/repository.ts';
import type {
  AppDocument,
  ConfigDocument,
  DeployDocument,
  ReleaseDocument,
} from '../../documents/schemas.ts';
import { attachService, wantedKinds } from '../../services.ts';
import type { Phase, PhaseInput } from '../phase.ts';

export const releasePhase: Phase = {
  name: 'release',
  async run(input) {
    const { context, app, deploy } = input;
    const image = deploy.image;
    if (!image) throw new Error('a release needs an image');
    const formation = completeFormation(
      deploy.formation ?? app.formation,
      image.processTypes,
      LIMITS.instance.memoryBytes,
    );
    for (const kind of wantedKinds(context, image)) {
      await openService(input, kind, { appId: app.id, formation });
    }
    if (!deploy.makesRelease) {
      return { detail: `v${app.currentRelease}`, skipped: true, patch: { formation } };
    }
    const number = await recordRelease(context, app, deploy);
    return { detail: `v${number}`, patch: { formation, release: number } };
  },
};

/** It answers before anything of the release runs: commands and migrations need it. */
async function openService(
  { context, keeper, signal }: PhaseInput,
  kind: ServiceKind,
  app: ServiceApp,
): Promise<void> {
  const { credentials, isNew } = await attachService(context, kind, app);
  if (isNew) await keeper.refresh();
  await kind.waitUntilHealthy(signal, credentials);
}

/** The number is taken and the document written in one transaction; a second run finds it. */
async function recordRelease(
  context: NexusContext,
  app: AppDocument,
  deploy: DeployDocument,
): Promise<number> {
  if (deploy.release !== undefined) return deploy.release;
  const previous =
    deploy.fromRelease === undefined
      ? undefined
      : await context.repository.release(app.id, deploy.fromRelease);
  const keys = [KEYS.app(app.id), KEYS.config(app.id), KEYS.deploy(app.id, deploy.number)];
  return await context.repository.update(keys, (read) => {
    const appNow = read.get(KEYS.app(app.id)) as AppDocument;
    const deployNow = read.get(KEYS.deploy(app.id, deploy.number)) as DeployDocument;
    if (deployNow.release !== undefined) return { writes: [], result: deployNow.release };
    const config = read.get(KEYS.config(app.id)) as ConfigDocument | undefined;
    const number = appNow.nextRelease;
    const release = releaseDocument(context, deployNow, number, config, previous?.value);
    return {
      writes: [
        put(KEYS.release(app.id, number), release),
        put(KEYS.app(app.id), { ...appNow, nextRelease: number + 1 }),
        put(KEYS.deploy(app.id, deploy.number), { ...deployNow, release: number }),
      ],
      result: number,
    };
  });
}

function releaseDocument(
  context: NexusContext,
  deploy: DeployDocument,
  number: number,
  config: ConfigDocument | undefined,
  previous: ReleaseDocument | undefined,
): ReleaseDocument {
  if (!deploy.image) throw new Error('a release needs an image');
  return {
    schemaVersion: 1,
    number,
    deploy: deploy.number,
    kind: deploy.kind,
    createdAtMs: context.clock.nowMs(),
    state: 'pending',
    image: deploy.image,
    imageOf: previous ? previous.imageOf : number,
    configRevision: config?.revision ?? 0,
    config: snapshotConfig(deploy, config, previous),
    migrationsApplied: previous?.migrationsApplied ?? [],
    note: deploy.note,
  };
}

/** A rollback takes the old release's config, but never an old secret. */
function snapshotConfig(
  deploy: DeployDocument,
  config: ConfigDocument | undefined,
  previous: ReleaseDocument | undefined,
): ReleaseDocument['config'] {
  const now = config?.entries ?? {};
  if (deploy.kind !== 'rollback' || !previous) return now;
  const secrets = Object.entries(now).filter(([, entry]) => entry.secret);
  const plain = Object.entries(previous.config).filter(([, entry]) => !entry.secret);
  return Object.fromEntries([...plain, ...secrets]);
}
