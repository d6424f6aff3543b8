// What nothing refers to any more: releases beyond those kept, their sources, layers that no release
// or retry needs. Only files that Tandem owns, found by reference count.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../../domain/limits.ts';
import { layersOf } from '../../domain/release.ts';
import { appDirectory } from '../../ports/paths.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, DeployDocument, ReleaseDocument } from '../documents/schemas.ts';

const DEPLOYS_KEPT = 20;

export async function collectGarbage(context: NexusContext): Promise<void> {
  const apps = await context.repository.apps();
  // A deploy under way holds layers that no document names yet.
  if (apps.some((app) => app.activeDeploy !== undefined)) return;
  const needed = new Set<string>();
  const warm = new Set<string>();
  for (const app of apps) {
    const releases = await pruneReleases(context, app);
    const deploys = await pruneDeploys(context, app);
    await pruneSources(context, app, deploys);
    for (const image of [...releases, ...deploys.slice(0, 1)].map((one) => one.image)) {
      const layers = image ? [...layersOf(image.layers), ...(image.buildLayers ?? [])] : [];
      for (const layer of layers) needed.add(layer.sha256);
    }
    for (const release of await warmReleases(context, app, releases)) {
      for (const layer of layersOf(release.image.layers)) warm.add(layer.sha256);
    }
  }
  for (const layer of context.protectedLayers()) {
    needed.add(layer.sha256);
    warm.add(layer.sha256);
  }
  await dropLayers(context, needed, warm);
}

async function pruneReleases(context: NexusContext, app: AppDocument): Promise<ReleaseDocument[]> {
  const releases = (await context.repository.releases(app.id)).toSorted(
    (a, b) => b.number - a.number,
  );
  const running = new Set(
    (await context.repository.instances(app.id)).map((instance) => instance.release),
  );
  const live = releases.filter((release) => release.state === 'live');
  const kept = new Set(live.slice(0, LIMITS.releases.onDisk).map((release) => release.number));
  const remaining = releases.filter(
    ({ number }) => kept.has(number) || running.has(number) || number === app.currentRelease,
  );
  const stays = new Set(remaining.map((release) => release.number));
  for (const { number } of releases) {
    if (!stays.has(number)) await remove(context, KEYS.release(app.id, number));
  }
  return remaining;
}

async function pruneDeploys(context: NexusContext, app: AppDocument): Promise<DeployDocument[]> {
  const deploys = (await context.repository.deploys(app.id)).toSorted(
    (a, b) => b.number - a.number,
  );
  for (const deploy of deploys.slice(DEPLOYS_KEPT)) {
    await remove(context, KEYS.deploy(app.id, deploy.number));
  }
  return deploys.slice(0, DEPLOYS_KEPT);
}

/** Sources are kept for as many releases as there are on disk, for backups and rebuilds. */
async function pruneSources(
  context: NexusContext,
  app: AppDocument,
  deploys: readonly DeployDocument[],
): Promise<void> {
  const directory = join(appDirectory(context.paths, app.id), 'sources');
  const kept = new Set(
    deploys
      .filter((deploy) => deploy.archive !== undefined)
      .slice(0, LIMITS.releases.onDisk)
      .map((deploy) => deploy.archive),
  );
  for (const name of await readdir(directory).catch(() => [])) {
    if (!kept.has(name)) await rm(join(directory, name), { force: true });
  }
}

/** The current release, those before it that are kept mounted, and whatever still runs. */
async function warmReleases(
  context: NexusContext,
  app: AppDocument,
  releases: readonly ReleaseDocument[],
): Promise<ReleaseDocument[]> {
  const running = new Set(
    (await context.repository.instances(app.id)).map((instance) => instance.release),
  );
  const live = releases.filter((release) => release.state === 'live');
  const newest = new Set(live.slice(0, 1 + LIMITS.releases.warm).map((release) => release.number));
  return releases.filter(({ number }) => newest.has(number) || running.has(number));
}

async function dropLayers(
  context: NexusContext,
  needed: ReadonlySet<string>,
  warm: ReadonlySet<string>,
): Promise<void> {
  for (const sha256 of await context.imageStore.mounted()) {
    if (warm.has(sha256)) continue;
    await context.imageStore.unmount(sha256).catch(() => undefined);
  }
  for (const { sha256 } of await context.imageStore.list()) {
    if (needed.has(sha256)) continue;
    // One that is still in use stays until the next collection.
    await context.imageStore.remove(sha256).catch(() => undefined);
  }
}

async function remove(context: NexusContext, key: string): Promise<void> {
  await context.repository.store.transact([], [{ kind: 'delete', key }]);
}
