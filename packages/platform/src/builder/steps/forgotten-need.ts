// A distribution that imports what it forgets to ask for, and works only where something else brings
// it. Known ones; added when the installed version really does, and nothing else brings the module.
import type { Finding } from '../../domain/release.ts';
import type { BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { finding } from '../detect/evidence.ts';
import type { Dependencies } from './dependency-layer.ts';
import { importedByDependencies, importOf } from './import-search.ts';
import { versionIn, type Lock } from './lock.ts';
import type { Toolchain } from './toolchain.ts';

interface Forgotten {
  readonly distribution: string;
  /** Its package in site-packages. */
  readonly directory: string;
  /** Module and distribution of one name. */
  readonly module: 'packaging';
}

const FORGOTTEN: readonly Forgotten[] = [
  // Since 5.7, for its Redis transport.
  { distribution: 'kombu', directory: 'kombu', module: 'packaging' },
];

export interface ForgottenNeed {
  readonly name: Forgotten['module'];
  readonly finding: Finding;
}

/** What must be added, each once. */
export async function forgottenNeeds(
  options: BuilderOptions,
  session: BuildSession,
  request: {
    readonly lock: Lock | undefined;
    readonly dependencies: Dependencies | undefined;
    readonly toolchain: Toolchain;
  },
): Promise<ForgottenNeed[]> {
  const { lock, dependencies, toolchain } = request;
  const needs = new Map<string, ForgottenNeed>();
  for (const { distribution, directory, module } of forgottenIn(lock)) {
    const search = {
      name: `${distribution}-${module}`,
      pattern: importOf([module]),
      directory: `lib/python${toolchain.minor}/site-packages/${directory}`,
    };
    const place = await importedByDependencies(options, session, search, dependencies);
    if (place === undefined) continue;
    const why = `${distribution} imports it and nothing brings it`;
    needs.set(module, { name: module, finding: finding(module, 'added', why, place) });
  }
  return [...needs.values()];
}

export function forgottenIn(lock: Lock | undefined): Forgotten[] {
  const has = (name: string): boolean => versionIn(lock, name) !== undefined;
  return FORGOTTEN.filter(({ distribution, module }) => has(distribution) && !has(module));
}
