// A site of files only: nothing to import, install or run.
import type { BuiltImage } from '../domain/release.ts';
import type { BuildContext } from './build-context.ts';
import { describeImage } from './describe-image.ts';
import type { Detection } from './detect/detect.ts';
import { packCode } from './pack-code.ts';
import type { PrepareReport } from './steps/prepare-report.ts';
import { runtimeLayer } from './steps/runtime-layer.ts';
import type { Toolchain } from './steps/toolchain.ts';

export async function buildSite(
  { options, session }: BuildContext,
  toolchain: Toolchain,
  detection: Detection,
): Promise<BuiltImage> {
  return await session.report('code', async () => {
    const runtime = await runtimeLayer(options, session, toolchain);
    const code = await packCode({ options, session });
    const layers = { stack: toolchain.stack.layer, additions: [], runtime, code };
    const report: PrepareReport = { stage: 'done', notes: [] };
    const { config } = session.request;
    const value = describeImage({ detection, report, lock: undefined, layers, env: {}, config });
    const { length } = detection.volume.sourceFiles;
    return { value, detail: `${code.sha256.slice(0, 6)}, ${length} files` };
  });
}
