// Programs that a script begins with and nobody brings: not among the installed packages, and not of
// the system. Known after the installation, before the script does half of its work.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, type BuildSession } from '../build-session.ts';
import { under } from '../detect/source-tree.ts';
import type { Modules } from './modules.ts';
import type { PackageJson } from './package-json.ts';
import { upward } from './package-manager.ts';
import { commandsOf, programsIn } from './script-commands.ts';

const ASK = 'for name; do command -v "$name" >/dev/null || echo "$name"; done';

export interface ProgramRequest {
  readonly manifest: PackageJson;
  readonly script: string;
  readonly modules: Modules;
  readonly layers: readonly LayerRef[];
  /** Of the step. */
  readonly name: string;
}

export async function missingPrograms(
  session: BuildSession,
  request: ProgramRequest,
): Promise<string[]> {
  const { manifest, script } = request;
  const places = upward(manifest.directory).map((place) => under(place, 'node_modules'));
  const programs: string[] = [];
  for (const program of programsIn(commandsOf(manifest, [script]))) {
    const found = await Promise.all(
      places.map((place) => isThere(join(whereIs(session, request.modules, place), program))),
    );
    if (!found.includes(true)) programs.push(program);
  }
  return programs.length === 0 ? [] : await notOfTheSystem(session, request, programs);
}

/** Packages that were kept lie in their layer, not in the source. */
function whereIs(session: BuildSession, { path, directory }: Modules, place: string): string {
  return join(place === path ? directory : join(session.disk.source, place), '.bin');
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

async function notOfTheSystem(
  session: BuildSession,
  { layers, name }: ProgramRequest,
  programs: readonly string[],
): Promise<string[]> {
  const { logTail } = await session.run({
    name: `${name}-programs`,
    layers,
    args: ['/bin/sh', '-c', ASK, 'sh', ...programs],
    env: { PATH: '/opt/node/bin:/usr/local/bin:/usr/bin:/bin' },
    uid: session.request.buildUid,
    mounts: [mountOf(session.disk.work, '/build', false)],
    network: false,
  });
  const said = new Set(logTail.split('\n').map((line) => line.trim()));
  return programs.filter((program) => said.has(program));
}
