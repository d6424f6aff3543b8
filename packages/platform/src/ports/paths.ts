// Where an installation keeps its things; one place, so that no component invents a path.
import { join } from 'node:path';

export interface Paths {
  readonly data: string;
  readonly run: string;
  readonly stackCache: string;
}

export function pathsOf(
  name: string,
  roots = { data: '/var/lib/tandem', run: '/run/tandem' },
): Paths {
  return {
    data: join(roots.data, name),
    run: join(roots.run, name),
    stackCache: '/var/cache/tandem/stacks',
  };
}

export const layerFiles = (paths: Paths): string => join(paths.data, 'layers');
export const layerMounts = (paths: Paths): string => join(paths.run, 'layers');
export const sandboxes = (paths: Paths): string => join(paths.run, 'sandboxes');
/** Scratch disks: sparse files, on disk and not on tmpfs. */
export const scratchFiles = (paths: Paths): string => join(paths.data, 'scratch');
export const storeFile = (paths: Paths): string => join(paths.data, 'store.sqlite');
export const keysDirectory = (paths: Paths): string => join(paths.data, 'keys');
export const logsDirectory = (paths: Paths): string => join(paths.data, 'logs');
/** A directory for each daemon, written by its supervisor. */
export const platformLogs = (paths: Paths): string => join(logsDirectory(paths), 'platform');
export const appDirectory = (paths: Paths, appId: number): string =>
  join(paths.data, 'apps', String(appId));
export const volumesDirectory = (paths: Paths): string => join(paths.data, 'volumes');
/** What an app's volume lies in; sparse. */
export const volumeImage = (paths: Paths, appId: number): string =>
  join(volumesDirectory(paths), String(appId), 'data.img');
/** `<app id>/`: mounted volumes. */
export const volumeMounts = (paths: Paths): string => join(paths.run, 'volumes');
export const volumeMount = (paths: Paths, appId: number): string =>
  join(volumeMounts(paths), String(appId));
export const buildDirectory = (paths: Paths): string => join(paths.data, 'build');
export const keptStatic = (paths: Paths): string => join(paths.data, 'static-kept');
/** Writable by the balancers' uid: the route table they last had. */
export const balancerState = (paths: Paths): string => join(paths.data, 'balancer');
/** The same on a tmpfs: the certificates they last had, with private keys. */
export const balancerSecrets = (paths: Paths): string => join(paths.run, 'balancer');
export const controlSocket = (paths: Paths): string => join(paths.run, 'control.sock');
export const nexusSocket = (paths: Paths): string => join(paths.run, 'nexus');
export const staticSocket = (paths: Paths): string => join(paths.run, 'static', 'static.sock');
export const superviseDirectory = (paths: Paths): string => join(paths.run, 'services');
