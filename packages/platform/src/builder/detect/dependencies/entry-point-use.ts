// Whether somebody looks up a group of entry points when the app runs: then the project must be
// installed, else they are for others (a developer's tools, other projects).
import { walkFiles, type SourceTree } from '../source-tree.ts';
import { isProductionPath } from './production-names.ts';

/** Looked up by servers and frameworks under names that are not their own. */
const KNOWN = /^(paste\.(app|composite|filter|server)_\w+|flask\.commands|celery\.\w+)$/;
/** Of tools that look at a project when it is built, tested or translated. */
const TOOLS = /^(babel|distutils|setuptools|sphinx|pytest\w*|flake8|pylint|mypy|hatch|nose|pip)\b/;
const LOOK_UP =
  /entry_points\s*\(|load_entry_point|load_setuptools_entrypoints|\bstevedore\b|get_entry_map/;
const DEPTH_MAX = 4;
const FILES_MAX = 2_000;

/** The first group of `groups` that is; `dependencies` are names of distributions. */
export function groupLookedUp(
  tree: SourceTree,
  directory: string,
  groups: readonly string[],
  dependencies: readonly string[],
): string | undefined {
  const asked = groups.filter((group) => !TOOLS.test(group));
  // A distribution looks up the groups that begin with its name: `pretix.plugin`, `ckan.plugins`.
  const byName = (group: string): boolean =>
    dependencies.includes(group.split(/[._]/)[0]?.toLowerCase() ?? '');
  const known = asked.find((group) => KNOWN.test(group) || byName(group));
  return known ?? (asked.length === 0 ? undefined : ownLookUp(tree, directory, asked));
}

/** By the project itself; the name may stand in another file, as a constant. */
function ownLookUp(
  tree: SourceTree,
  directory: string,
  groups: readonly string[],
): string | undefined {
  const texts = walkFiles(tree, directory, DEPTH_MAX)
    .filter((path) => path.endsWith('.py') && !path.endsWith('setup.py') && isProductionPath(path))
    .slice(0, FILES_MAX)
    .map((path) => tree.read(path) ?? '');
  if (!texts.some((text) => LOOK_UP.test(text))) return undefined;
  return groups.find((group) =>
    texts.some((text) => text.includes(`"${group}"`) || text.includes(`'${group}'`)),
  );
}
