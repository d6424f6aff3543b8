// Releases: listing, going back, restarting, scaling.
import { LIMITS } from '../../domain/limits.ts';
import { completeFormation, type Formation } from '../../domain/formation.ts';
import type { BuiltImage } from '../../domain/release.ts';
import { TandemError, type DeployStarted, type ReleaseSummary } from '@tandem/protocol';
import type { ControlBackend } from '../control/backend.ts';
import type { AppDocument, DeployDocument, ReleaseDocument } from '../documents/schemas.ts';
import type { OperationsContext } from './context.ts';
import { lastFailed, retryOf } from './retry.ts';

const MEMORY_BYTES_MIN = 32 * 1024 * 1024;

type ReleaseOperations = Pick<
  ControlBackend,
  'listReleases' | 'listFindings' | 'rollback' | 'restart' | 'scale'
>;

export function releaseOperations(context: OperationsContext): ReleaseOperations {
  const { repository, deploys } = context;
  const started = (app: AppDocument, deploy: DeployDocument): DeployStarted => ({
    app: app.name,
    deploy: deploy.number,
    created: false,
  });
  return {
    async listReleases(name) {
      const app = await repository.appByName(name);
      const documents = await repository.releases(app.id);
      return documents
        .filter((release) => release.state === 'live')
        .toSorted((a, b) => b.number - a.number)
        .map((release) => summarize(app, release));
    },
    async listFindings(name) {
      const { number, image } = await repository.currentRelease(await repository.appByName(name));
      return { release: number, findings: image.findings };
    },
    async rollback(name, request) {
      const app = await repository.appByName(name);
      const target = await rollbackTarget(context, app, request.to);
      if (request.force !== true) await assertMigrationsKnown(context, app, target);
      const deploy = await deploys.begin(app.id, {
        kind: 'rollback',
        note: `rollback to v${target.number}`,
        makesRelease: true,
        fromRelease: target.number,
      });
      return started(app, deploy);
    },
    async restart(name) {
      const app = await repository.appByName(name);
      const release = await repository.currentRelease(app);
      const deploy = await deploys.begin(app.id, {
        kind: 'restart',
        note: 'restart',
        makesRelease: false,
        fromRelease: release.number,
      });
      return started(app, deploy);
    },
    async scale(name, request) {
      const app = await repository.appByName(name);
      const failed =
        app.currentRelease === undefined ? await lastFailed(repository, app) : undefined;
      if (failed?.image) {
        // Nothing runs yet; the one that failed, perhaps for its size, is tried again with the new one.
        const formation = scaledFormation(app, failed.image, request.processes);
        return started(app, await deploys.begin(app.id, { ...retryOf(failed), formation }));
      }
      const release = await repository.currentRelease(app);
      const formation = scaledFormation(app, release.image, request.processes);
      const deploy = await deploys.begin(app.id, {
        kind: 'scale',
        note: 'scale',
        makesRelease: false,
        fromRelease: release.number,
        formation,
      });
      return started(app, deploy);
    },
  };
}

function summarize(app: AppDocument, release: ReleaseDocument): ReleaseSummary {
  return {
    number: release.number,
    kind: release.kind,
    current: release.number === app.currentRelease,
    createdAtMs: release.createdAtMs,
    framework: release.image.framework,
    python: release.image.pythonVersion ?? '-',
    ...(release.imageOf === release.number ? {} : { imageOf: release.imageOf }),
    migrationsApplied: release.migrationsApplied.length,
    note: release.note,
  };
}

/** Without a number: the newest live release before the current one that runs anything else. */
async function rollbackTarget(
  context: OperationsContext,
  app: AppDocument,
  to: number | undefined,
): Promise<ReleaseDocument> {
  const current = await context.repository.currentRelease(app);
  const live = (await context.repository.releases(app.id))
    .filter((release) => release.state === 'live')
    .toSorted((a, b) => b.number - a.number);
  const target =
    to === undefined
      ? live.find((release) => release.number < current.number && differs(release, current))
      : live.find((release) => release.number === to);
  if (target) return target;
  const what = to === undefined ? 'no earlier release' : `no release v${to}`;
  throw new TandemError('RELEASE_NOT_FOUND', `app "${app.name}" has ${what} to go back to`, {
    hint: `tandem releases -a ${app.name}`,
  });
}

/** Another image, or other config; secrets never roll back, so they make no difference. */
function differs(one: ReleaseDocument, other: ReleaseDocument): boolean {
  return one.imageOf !== other.imageOf || plainConfig(one) !== plainConfig(other);
}

/** Unchanged values are carried along sealed as they are, so equal text is equal config. */
function plainConfig({ config }: ReleaseDocument): string {
  const plain = Object.entries(config).filter(([, { secret }]) => !secret);
  return JSON.stringify(plain.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is applied now and unknown to the old code stays applied: the user must say so. */
async function assertMigrationsKnown(
  context: OperationsContext,
  app: AppDocument,
  target: ReleaseDocument,
): Promise<void> {
  const current = await context.repository.currentRelease(app);
  const known = new Set([...target.migrationsApplied, ...(target.image.migrations ?? [])]);
  const unknown = current.migrationsApplied.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', ...' : '');
  throw new TandemError(
    'ROLLBACK_PAST_MIGRATIONS',
    `v${target.number} does not know ${unknown.length} applied migrations: ${names}`,
    {
      hint:
        `tandem rollback -a ${app.name} v${target.number} --force   (they stay applied)\n` +
        `tandem run -a ${app.name} -- python manage.py migrate APP NAME   (reverses them first)`,
    },
  );
}

function scaledFormation(
  app: AppDocument,
  image: Pick<BuiltImage, 'processTypes'>,
  changes: Parameters<ControlBackend['scale']>[1]['processes'],
): Formation {
  const types = image.processTypes;
  const current = completeFormation(app.formation, types, LIMITS.instance.memoryBytes);
  const next = { ...current };
  for (const [name, change] of Object.entries(changes)) {
    const before = current[name];
    if (!before) {
      throw new TandemError('SCALE_INVALID', `app "${app.name}" has no process type "${name}"`, {
        hint: `it has: ${Object.keys(types).join(', ')}`,
      });
    }
    const count = change.count ?? before.count;
    const memoryBytes = change.memoryBytes ?? before.memoryBytes;
    assertScale(name, count, memoryBytes, types[name]?.kind === 'singleton');
    next[name] = { count, memoryBytes };
  }
  return next;
}

function assertScale(name: string, count: number, memoryBytes: number, singleton: boolean): void {
  const countMax = singleton ? 1 : LIMITS.instance.countMax;
  if (!Number.isInteger(count) || count < 0 || count > countMax) {
    throw new TandemError('SCALE_INVALID', `${name}=${count}: a count is 0 to ${countMax}`);
  }
  if (!Number.isInteger(memoryBytes) || memoryBytes < MEMORY_BYTES_MIN) {
    throw new TandemError('SCALE_INVALID', `${name}: a size is at least 32M`);
  }
}
