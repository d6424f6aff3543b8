// Measures as a daemon would: in one file of JavaScript. A process that strips types itself has three
// times the memory, and what it starts costs it three times as much, because it copies its page table.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { run } from '../command.ts';
import { SMALL_MALLOC, SMALL_NODE } from '../../packages/platform/src/daemons/install/services.ts';

/** Standard output of a script, bundled into `scratch` with all that it imports. */
export async function runCompiled(
  entry: string,
  args: readonly string[],
  scratch: string,
): Promise<string> {
  const outfile = join(scratch, 'script.mjs');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    conditions: ['development'],
    plugins: [ownPlaces],
    logLevel: 'warning',
  });
  return await run([process.execPath, ...SMALL_NODE, outfile, ...args], { env: SMALL_MALLOC });
}

/** A module finds the files beside it although it is bundled. */
const ownPlaces: Plugin = {
  name: 'own-places',
  setup(bundle) {
    bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: 'ts' };
    });
  },
};
