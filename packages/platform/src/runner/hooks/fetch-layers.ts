// The layers of the release must lie on this node before anything starts.
import { TandemError } from '@tandem/protocol';
import type { LifecycleHook } from './hook.ts';

export const fetchLayers: LifecycleHook = {
  name: 'fetch-layers',
  async up({ spec, context }) {
    for (const layer of spec.layers) {
      if (await context.imageStore.has(layer.sha256)) continue;
      throw new TandemError(
        'IMAGE_FAILED',
        `layer ${layer.sha256.slice(0, 12)} of release v${spec.release} is not on this node`,
        { hint: `tandem deploy -a ${spec.appName}   (builds it again)` },
      );
    }
  },
};
