// Virtualenvs used to hold setuptools, so packages import its pkg_resources without asking for it, and
// Python 3.12 dropped distutils, which setuptools has too. Whether this app's packages or sources do.
import type { Finding } from '../../domain/release.ts';
import type { BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { finding } from '../detect/evidence.ts';
import { compareVersions, parseVersion } from '../detect/version-specifier.ts';
import type { Dependencies } from './dependency-layer.ts';
import { importedByDependencies, importedIn, importOf } from './import-search.ts';
import { versionIn, type Lock } from './lock.ts';
import type { Toolchain } from './toolchain.ts';

const DISTUTILS_UNTIL = [3, 12];
const PKG_RESOURCES_UNTIL = [81];

export interface SetuptoolsQuestion {
  readonly lock: Lock | undefined;
  readonly dependencies: Dependencies | undefined;
  readonly toolchain: Toolchain;
}

/** Set when it must be added. */
export async function setuptoolsNeed(
  options: BuilderOptions,
  session: BuildSession,
  { lock, dependencies, toolchain }: SetuptoolsQuestion,
): Promise<Finding | undefined> {
  if (bringsPkgResources(versionIn(lock, 'setuptools'))) return undefined;
  const { modules, pattern } = wanted(toolchain);
  // In any case, so that the answer is kept for the next build.
  const search = { name: 'setuptools', pattern, directory: '.' };
  const installed = await importedByDependencies(options, session, search, dependencies);
  const inSource = { pattern, directory: '.', signal: session.signal };
  const place = installed ?? (await importedIn(session.disk.source, inSource));
  if (place === undefined) return undefined;
  return finding('setuptools', 'added', `${modules} is imported and nothing brings it`, place);
}

/** The newest have everything but pkg_resources. */
export function bringsPkgResources(version: string | undefined): boolean {
  if (version === undefined) return false;
  return compareVersions(parseVersion(version), PKG_RESOURCES_UNTIL) < 0;
}

function wanted({ minor }: Toolchain): { modules: string; pattern: string } {
  const isGone = compareVersions(parseVersion(minor), DISTUTILS_UNTIL) >= 0;
  const modules = isGone ? ['pkg_resources', 'distutils'] : ['pkg_resources'];
  const pattern = importOf(modules);
  return { modules: modules.join(' or '), pattern };
}
