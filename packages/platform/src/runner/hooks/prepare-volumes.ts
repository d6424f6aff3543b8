// Volumes outlive releases: made once, owned by the app, never removed here. That of an app is a disk
// of fixed size; a service of the platform has plain directories.
import { chown, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { volumesDirectory } from '../../ports/paths.ts';
import { ensureVolume } from '../volume.ts';
import type { LifecycleHook } from './hook.ts';

export const prepareVolumes: LifecycleHook = {
  name: 'prepare-volumes',
  async up({ spec, context }) {
    await ensureVolume(context, spec);
    for (const volume of spec.volumes) {
      const directory = join(volumesDirectory(context.paths), String(spec.appId), volume.name);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // The directory itself is ours to give away; what lies in it belongs to the app already.
      if ((await lstat(directory)).uid !== spec.uid) await chown(directory, spec.uid, spec.uid);
    }
  },
};
