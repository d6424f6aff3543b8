// The life cycle of an instance, in order. Mounts, network and limits are the sandbox's own steps
// inside `start-process`.
import { awaitReady } from './await-ready.ts';
import { fetchLayers } from './fetch-layers.ts';
import type { LifecycleHook } from './hook.ts';
import { prepareLog } from './prepare-log.ts';
import { prepareVolumes } from './prepare-volumes.ts';
import { startProcess } from './start-process.ts';

export const LIFECYCLE: readonly LifecycleHook[] = [
  fetchLayers,
  prepareLog,
  prepareVolumes,
  startProcess,
  awaitReady,
];
