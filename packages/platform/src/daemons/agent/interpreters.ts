// Interpreters of this machine as the builder wants them: newest patch of each minor version, packed
// into a layer when first used.
import { join } from 'node:path';
import { ensureInterpreterLayer } from '../../adapters/interpreters/ensure-interpreter-layer.ts';
import {
  listInterpreters,
  type Interpreter,
} from '../../adapters/interpreters/list-interpreters.ts';
import { STACK_FACTS } from '../../adapters/stacks/recipe.ts';
import type { BuildInterpreter } from '../../builder/collaborators.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { buildDirectory, type Paths } from '../../ports/paths.ts';

export interface InterpretersOptions {
  readonly imageStore: ImageStore;
  readonly paths: Paths;
  readonly environment: NodeJS.ProcessEnv;
}

export async function interpretersOf(options: InterpretersOptions): Promise<BuildInterpreter[]> {
  const { imageStore, paths, environment } = options;
  const home = environment['HOME'] ?? '/root';
  const search = {
    pyenvRoots: [environment['PYENV_ROOT'] ?? join(home, '.pyenv')],
    uvRoots: [environment['UV_PYTHON_INSTALL_DIR'] ?? join(home, '.local/share/uv/python')],
    stack: STACK_FACTS,
  };
  const workDirectory = join(buildDirectory(paths), 'interpreters');
  return newestOfEachMinor(await listInterpreters(search)).map((interpreter) => ({
    version: interpreter.version,
    executable: executableOf(interpreter),
    layer: () => ensureInterpreterLayer(interpreter.version, { imageStore, search, workDirectory }),
  }));
}

function executableOf({ version, source }: Interpreter): string {
  const series = version.split('.').slice(0, 2).join('.');
  return source === 'stack' ? `/usr/bin/python${series}` : `/opt/python/bin/python${series}`;
}

/** The list comes newest first. */
function newestOfEachMinor(interpreters: readonly Interpreter[]): Interpreter[] {
  const byMinor = new Map<string, Interpreter>();
  for (const interpreter of interpreters) {
    const minor = interpreter.version.split('.').slice(0, 2).join('.');
    if (!byMinor.has(minor)) byMinor.set(minor, interpreter);
  }
  return [...byMinor.values()];
}
