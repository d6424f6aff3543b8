// The code layer: source, collected files, generated modules.
import type { LayerRef } from '../ports/image-store.ts';
import type { BuildContext } from './build-context.ts';

export async function packCode(
  { options, session }: Pick<BuildContext, 'options' | 'session'>,
  leftOut: readonly string[] = [],
): Promise<LayerRef> {
  const { disk, signal } = session;
  const trees = [
    { directory: disk.source, prefix: '/app', exclude: ['.git', ...leftOut] },
    { directory: disk.staticFiles, prefix: '/static' },
    { directory: disk.overlay, prefix: '/opt/tandem/overlay' },
  ] as const;
  return await options.imageStore.packTrees(trees, { signal });
}
