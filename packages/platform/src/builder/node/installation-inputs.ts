// What an installation of packages depends on: while it is the same, what was installed is kept. Pure.
import { under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import { allDependencies, readPackageJson, type PackageJson } from './package-json.ts';
import type { PackageManager } from './package-manager.ts';

export interface InstallationInputs {
  readonly lock: string | undefined;
  /** Its own and those of its workspaces, by path, as far as they decide. */
  readonly manifests: readonly (readonly [string, unknown])[];
  readonly settings: readonly (string | undefined)[];
  /** Names of variables that the settings read: registries and their tokens. */
  readonly variables: readonly string[];
  /** Files that packages or known hooks read. */
  readonly files: readonly (readonly [string, string | undefined])[];
  /** Hooks of the project do what nobody can tell: all of the source decides. */
  readonly hasOwnHooks: boolean;
}

const SETTINGS = ['.npmrc', '.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml', 'bunfig.toml'];
const HOOKS = ['preinstall', 'install', 'postinstall', 'prepare'];
const WORKSPACE_DEPTH_MAX = 4;
const FILE_DEPTH_MAX = 4;
/** Hooks that look at no file of the project, or at a directory that is known. */
const KNOWN_HOOKS: readonly (readonly [RegExp, string?])[] = [
  [/^(npx )?(husky|lefthook|simple-git-hooks|is-ci|svelte-kit sync)\b/],
  [/^(npx )?patch-package\b/, 'patches'],
  [/^(npx )?prisma generate\b/, 'prisma'],
];
/** What keeps a hook from failing is no work. */
const HARMLESS = /^(echo\b.*|true|:|exit 0)$/;

export function installationInputs(
  tree: SourceTree,
  { directory, lockFile }: Pick<PackageManager, 'directory' | 'lockFile'>,
): InstallationInputs {
  const read = (name: string): string | undefined => tree.read(under(directory, name));
  const settings = SETTINGS.map(read);
  const manifests = manifestsOf(tree, directory);
  const steps = manifests.flatMap((one) => hookSteps(one).map((step) => ({ one, step })));
  const places = [
    ...manifests.flatMap((one) => pathDependencies(one)),
    ...steps.flatMap(({ one, step }) => {
      const place = knownHook(step)?.[1];
      return place === undefined ? [] : [under(one.directory, place)];
    }),
  ];
  return {
    lock: lockFile === undefined ? undefined : tree.read(lockFile),
    manifests: manifests.map((one) => [one.path, decisive(one)]),
    settings,
    variables: [...JSON.stringify(settings).matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name),
    files: [...new Set(places)].flatMap((place) => filesIn(tree, place)),
    hasOwnHooks: steps.some(({ step }) => knownHook(step) === undefined),
  };
}

function manifestsOf(tree: SourceTree, directory: string): PackageJson[] {
  const own = readPackageJson(tree, directory);
  if (own === undefined) return [];
  const workspace = tree.read(under(directory, 'pnpm-workspace.yaml')) ?? '';
  if (!own.hasWorkspaces && !/^packages:/m.test(workspace)) return [own];
  const below = walkFiles(tree, directory, WORKSPACE_DEPTH_MAX)
    .filter((path) => path.endsWith('/package.json') && path !== own.path)
    .map((path) => path.slice(0, -'/package.json'.length));
  return [own, ...below.flatMap((place) => readPackageJson(tree, place) ?? [])];
}

/** Of package.json, what an installation depends on. */
function decisive(manifest: PackageJson): unknown {
  const { dependencies, devDependencies, optionalDependencies, scripts, packageManager } = manifest;
  const hooks = HOOKS.map((name) => scripts[name]);
  const json = JSON.parse(manifest.text.replace(/^\uFEFF/, '')) as Record<string, unknown>;
  const { name, version, bin, overrides, resolutions, pnpm, workspaces, peerDependencies } = json;
  return [
    [dependencies, devDependencies, optionalDependencies, hooks, packageManager],
    [overrides, resolutions, pnpm, workspaces],
    [name, version, bin, peerDependencies],
  ];
}

function hookSteps({ scripts }: PackageJson): string[] {
  return (
    HOOKS.flatMap((name) => (scripts[name] ?? '').split(/&&|;/))
      // What stands in for one that failed is not looked at.
      .map((step) => (step.split('||')[0] ?? '').trim())
      .filter((step) => step !== '' && !HARMLESS.test(step))
  );
}

function knownHook(step: string): readonly [RegExp, string?] | undefined {
  return KNOWN_HOOKS.find(([pattern]) => pattern.test(step));
}

/** `file:../shared`, `link:./x`, `portal:x`, `./vendor/x.tgz`. */
function pathDependencies(manifest: PackageJson): string[] {
  return Object.values(allDependencies(manifest)).flatMap((version) => {
    const path = /^(?:file:|link:|portal:)(.+)$|^(\.{1,2}\/.+)$/.exec(version);
    const parts = (path?.[1] ?? path?.[2] ?? '').split('/').filter((part) => part !== '.');
    if (parts.length === 0 || parts[0] === '') return [];
    let directory = manifest.directory === '' ? [] : manifest.directory.split('/');
    for (const part of parts) {
      directory = part === '..' ? directory.slice(0, -1) : [...directory, part];
    }
    return [directory.join('/')];
  });
}

function filesIn(tree: SourceTree, place: string): (readonly [string, string | undefined])[] {
  const single = tree.read(place);
  if (single !== undefined) return [[place, single]];
  return walkFiles(tree, place, FILE_DEPTH_MAX).map((path) => [path, tree.read(path)]);
}
