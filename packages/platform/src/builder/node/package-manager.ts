// Which package manager a lock file belongs to, and how it is told to install and to run a script.
// Pure.
import { hasFile, under, type SourceTree } from '../detect/source-tree.ts';
import type { PackageJson } from './package-json.ts';

export interface PackageManager {
  readonly name: 'npm' | 'yarn' | 'pnpm' | 'berry' | 'bun';
  /** Range of versions of its npm package; undefined: the npm that fits the Node version. */
  readonly range: string | undefined;
  /** Its package on the registry. */
  readonly packageName: string;
  /** Path of the source, when the project carries the program itself. */
  readonly ownProgram?: string;
  /** Where the lock lies; dependencies are installed here. */
  readonly directory: string;
  readonly lockFile: string | undefined;
}

const BUN_PACKAGE =
  process.arch === 'arm64' ? '@oven/bun-linux-aarch64' : '@oven/bun-linux-x64-baseline';

type Kind = Pick<PackageManager, 'name' | 'packageName'> & { readonly defaultRange?: string };

const NPM: Kind = { name: 'npm', packageName: 'npm' };
const YARN: Kind = { name: 'yarn', packageName: 'yarn', defaultRange: '^1.22' };
const BERRY: Kind = { name: 'berry', packageName: '@yarnpkg/cli-dist', defaultRange: '^4.15' };
const PNPM: Kind = { name: 'pnpm', packageName: 'pnpm' };
/** The program itself: the package `bun` would fetch it in a hook. */
const BUN: Kind = { name: 'bun', packageName: BUN_PACKAGE, defaultRange: '^1.2' };

const LOCKS: readonly (readonly [string, Kind])[] = [
  ['package-lock.json', NPM],
  ['npm-shrinkwrap.json', NPM],
  ['pnpm-lock.yaml', PNPM],
  ['yarn.lock', YARN],
  ['bun.lock', BUN],
  ['bun.lockb', BUN],
];
/** By the version in a pnpm lock: what can read it. */
const PNPM_RANGES: Readonly<Record<string, string>> = { 5: '^7', 6: '^8', 9: '^9' };

/** By the version in a lock of Yarn: any other would rewrite it, which --immutable forbids. */
const BERRY_RANGES: Readonly<Record<string, string>> = {
  4: '^2',
  5: '^2 || ^3',
  6: '^3',
  8: '>=4.0.0 <4.14.0',
  9: '~4.14.0',
};

/** The lock beside package.json, else the nearest above it: that of a workspace. */
export function detectPackageManager(tree: SourceTree, manifest: PackageJson): PackageManager {
  const named = /^(npm|yarn|pnpm|bun)@(\d[\w.-]*)/.exec(manifest.packageManager ?? '');
  for (const directory of upward(manifest.directory)) {
    const found = LOCKS.filter(([name]) => hasFile(tree, under(directory, name)));
    // Several locks: the one of the manager that package.json names, else the first.
    const lock = found.find(([, kind]) => kind.name === named?.[1]) ?? found[0];
    if (lock === undefined) continue;
    const [name, kind] = lock;
    return withLock(tree, directory, under(directory, name), kind, named);
  }
  return {
    ...NPM,
    range: named?.[1] === 'npm' ? named[2] : undefined,
    directory: manifest.directory,
    lockFile: undefined,
  };
}

function withLock(
  tree: SourceTree,
  directory: string,
  lockFile: string,
  kind: Kind,
  named: RegExpExecArray | null,
): PackageManager {
  const text = tree.read(lockFile) ?? '';
  const isBerry = kind === YARN && /^__metadata:/m.test(text);
  const actual = isBerry ? BERRY : kind;
  const version = named?.[1] === kind.name ? named[2] : undefined;
  const ownProgram = isBerry ? yarnPath(tree, directory) : undefined;
  return {
    name: actual.name,
    packageName: actual.packageName,
    range: version ?? rangeByLock(actual, text),
    ...(ownProgram === undefined ? {} : { ownProgram }),
    directory,
    lockFile,
  };
}

function yarnPath(tree: SourceTree, directory: string): string | undefined {
  const settings = tree.read(under(directory, '.yarnrc.yml')) ?? '';
  const path = /^yarnPath:\s*["']?([\w./@-]+)/m.exec(settings)?.[1];
  if (path === undefined || path.split('/').includes('..')) return undefined;
  const full = under(directory, path);
  return hasFile(tree, full) ? full : undefined;
}

function rangeByLock({ name, defaultRange }: Kind, lock: string): string | undefined {
  if (name === 'berry') {
    const version = /^__metadata:\s+version:\s*(\d+)/m.exec(lock)?.[1] ?? '';
    return BERRY_RANGES[version] ?? defaultRange;
  }
  if (name !== 'pnpm') return defaultRange;
  const version = /^lockfileVersion:\s*["']?(\d+)/m.exec(lock)?.[1] ?? '9';
  return PNPM_RANGES[version] ?? '*';
}

/** As people call it. */
export function programOf({ name }: Pick<PackageManager, 'name'>): string {
  return name === 'berry' ? 'yarn' : name;
}

/** Itself first. */
export function upward(directory: string): string[] {
  const parts = directory === '' ? [] : directory.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/')).concat('');
}

export interface ManagerCommand {
  readonly args: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/** With what only building needs, whatever NODE_ENV says. */
export function installCommand(manager: PackageManager): ManagerCommand {
  const locked = manager.lockFile !== undefined;
  switch (manager.name) {
    case 'npm': {
      const verb = locked ? ['ci'] : ['install', '--no-save', '--no-package-lock'];
      return { args: ['npm', ...verb, '--include=dev'], env: {} };
    }
    case 'yarn': {
      const args = ['--frozen-lockfile', '--non-interactive', '--no-progress'];
      return { args: ['yarn', 'install', ...args, '--production=false'], env: {} };
    }
    case 'pnpm': {
      // Links into its store would point out of the layer.
      const args = ['--frozen-lockfile', '--package-import-method=copy', '--prod=false'];
      return { args: ['pnpm', 'install', ...args, PNPM_STORE], env: {} };
    }
    case 'berry':
      return { args: [...berry(manager), 'install', '--immutable'], env: BERRY_ENV };
    case 'bun':
      return { args: ['bun', 'install', '--frozen-lockfile', '--backend=copyfile'], env: BUN_ENV };
  }
}

/** Takes away what only building needs, and runs nobody's hooks. Undefined: it cannot. */
export function pruneCommand(manager: PackageManager): ManagerCommand | undefined {
  switch (manager.name) {
    case 'npm':
      return { args: ['npm', 'prune', '--omit=dev', '--ignore-scripts', '--no-save'], env: {} };
    case 'yarn': {
      const args = ['--production', '--frozen-lockfile', '--ignore-scripts', '--non-interactive'];
      return { args: ['yarn', 'install', ...args], env: {} };
    }
    case 'pnpm':
      return { args: ['pnpm', 'prune', '--prod', '--ignore-scripts', PNPM_STORE], env: {} };
    case 'berry': {
      const args = ['workspaces', 'focus', '--all', '--production'];
      return { args: [...berry(manager), ...args], env: BERRY_ENV };
    }
    case 'bun':
      return undefined;
  }
}

export function scriptCommand(manager: PackageManager, script: string): ManagerCommand {
  if (manager.name === 'bun') return { args: ['bun', 'run', script], env: BUN_ENV };
  if (manager.name === 'berry') return { args: [...berry(manager), 'run', script], env: BERRY_ENV };
  return { args: [manager.name, 'run', script], env: {} };
}

/** Of the installed packages, and of nowhere else. */
export function programCommand(args: readonly string[]): ManagerCommand {
  return { args: ['npx', '--no-install', ...args], env: {} };
}

const PNPM_STORE = '--store-dir=/build/pnpm-store';

const BUN_ENV = { BUN_INSTALL_CACHE_DIR: '/build/bun-cache', DO_NOT_TRACK: '1' };

const BERRY_ENV = {
  // What is installed lies where every tool looks, and in one place that can be a layer.
  YARN_NODE_LINKER: 'node-modules',
  YARN_ENABLE_TELEMETRY: '0',
  YARN_ENABLE_PROGRESS_BARS: '0',
};

function berry({ ownProgram }: PackageManager): [string, ...string[]] {
  return ownProgram === undefined ? ['yarn'] : ['node', `/app/${ownProgram}`];
}
