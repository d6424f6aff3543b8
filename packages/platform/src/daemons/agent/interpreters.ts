// Interpreters of this machine as the builder wants them: newest patch of each minor version, packed
// into a layer when first used.
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { ensureInterpreterLayer } from '../../adapters/interpreters/ensure-interpreter-layer.ts';
import { fetchInterpreter } from '../../adapters/interpreters/fetch-interpreter.ts';
import {
  listInterpreters,
  type Interpreter,
  type InterpreterSearch,
} from '../../adapters/interpreters/list-interpreters.ts';
import { STACK_FACTS } from '../../adapters/stacks/recipe.ts';
import type { BuilderOptions, BuildInterpreter } from '../../builder/collaborators.ts';
import { satisfies } from '../../builder/detect/version-specifier.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import type { ImageStore } from '../../ports/image-store.ts';
import { buildDirectory, type Paths } from '../../ports/paths.ts';

export interface InterpretersOptions {
  readonly imageStore: ImageStore;
  readonly paths: Paths;
  readonly environment: NodeJS.ProcessEnv;
  readonly uvPath: string;
}

export type Interpreters = Required<Pick<BuilderOptions, 'interpreters' | 'fetchInterpreter'>>;

export async function interpretersOf(options: InterpretersOptions): Promise<Interpreters> {
  const { paths, environment, uvPath } = options;
  const home = environment['HOME'] ?? '/root';
  const directory = join(buildDirectory(paths), 'pythons');
  const search = {
    pyenvRoots: [environment['PYENV_ROOT'] ?? join(home, '.pyenv')],
    uvRoots: [
      environment['UV_PYTHON_INSTALL_DIR'] ?? join(home, '.local/share/uv/python'),
      directory,
    ],
    stack: STACK_FACTS,
  };
  const list = async (): Promise<BuildInterpreter[]> =>
    newestOfEachMinor(await listInterpreters(search)).map((one) => built(one, search, options));
  const interpreters = await list();
  const fetching = new KeyedMutex();
  return {
    interpreters,
    fetchInterpreter: (specifier) =>
      fetching.run(directory, async () => {
        await fetchInterpreter(specifier, { uvPath, directory, environment });
        const known = new Set(interpreters.map(({ version }) => version));
        const fresh = (await list()).filter(({ version }) => !known.has(version));
        interpreters.push(...fresh);
        const found = interpreters.filter(({ version }) => satisfies(version, specifier)).at(-1);
        if (found !== undefined) return found;
        const message = `A build of Python ${specifier} was fetched, but does not run on this stack.`;
        throw new TandemError('PYTHON_UNAVAILABLE', message);
      }),
  };
}

function built(
  interpreter: Interpreter,
  search: InterpreterSearch,
  { imageStore, paths }: InterpretersOptions,
): BuildInterpreter {
  const { version } = interpreter;
  const workDirectory = join(buildDirectory(paths), 'interpreters');
  return {
    version,
    executable: executableOf(interpreter),
    layer: () => ensureInterpreterLayer(version, { imageStore, search, workDirectory }),
  };
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
