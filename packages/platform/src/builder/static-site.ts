// A site of files only: nothing to import or run. What writes them runs before.
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { BuiltImage } from '../domain/release.ts';
import type { BuildContext } from './build-context.ts';
import { describeImage } from './describe-image.ts';
import type { Detection } from './detect/detect.ts';
import { diskTree, hasFile } from './detect/source-tree.ts';
import { buildFrontEnds, NO_FRONT_END, type FrontEnds } from './node/front-end.ts';
import { packCode } from './pack-code.ts';
import type { PrepareReport } from './steps/prepare-report.ts';
import { runtimeLayer } from './steps/runtime-layer.ts';
import type { Toolchain } from './steps/toolchain.ts';

export async function buildSite(
  context: BuildContext,
  toolchain: Toolchain,
  detection: Detection,
): Promise<BuiltImage> {
  const { options, session } = context;
  const frontEnds = await written(context, detection);
  return await session.report('code', async () => {
    const runtime = await runtimeLayer(options, session, toolchain);
    const code = await packCode({ options, session }, frontEnds.leftOut);
    const layers = { stack: toolchain.stack.layer, additions: [], runtime, code };
    const report: PrepareReport = { stage: 'done', notes: [] };
    const { config } = session.request;
    const image = describeImage({ detection, report, lock: undefined, layers, env: {}, config });
    const value = { ...image, findings: [...image.findings, ...frontEnds.findings] };
    const { length } = detection.volume.sourceFiles;
    return { value, detail: `${code.sha256.slice(0, 6)}, ${length} files` };
  });
}

async function written(context: BuildContext, detection: Detection): Promise<FrontEnds> {
  const { nodeBuilds } = detection;
  if (nodeBuilds.length === 0) return NO_FRONT_END;
  return await context.session.report('node', async () => {
    const value = await buildFrontEnds(context, nodeBuilds);
    assertPage(context.session.disk.source, detection);
    return { value, detail: value.detail };
  });
}

/** Scripts may end well and write elsewhere. */
function assertPage(source: string, { staticRoutes, nodeBuilds }: Detection): void {
  const directory = staticRoutes.find(({ url }) => url === '/')?.directory ?? '/app';
  const path = directory.slice('/app'.length + 1);
  if (hasFile(diskTree(join(source, path)), 'index.html')) return;
  const scripts = nodeBuilds.flatMap((build) => build.scripts).join(', ');
  const message = `"${scripts}" wrote no ${path === '' ? '' : `${path}/`}index.html.`;
  throw new TandemError('NODE_BUILD_FAILED', message, {
    where: nodeBuilds[0]?.manifest.path,
    hint: 'say where the site is written, in tandem.toml: static = { "/" = "DIRECTORY" }',
  });
}
