// What goes into each kind of stack. Changing anything here gives a new recipe hash, hence a new
// stack beside the old one: releases keep the one they were built on.
import { createHash } from 'node:crypto';

export const STACK_KINDS = ['base', 'build', 'postgresql', 'redis'] as const;
export type StackKind = (typeof STACK_KINDS)[number];

export interface Recipe {
  readonly packages: readonly string[];
  /** Shell lines for mmdebstrap, run once essential packages are there; `$1` is the tree. */
  readonly beforePackages: readonly string[];
  /** Globs, relative to the tree, of what is removed from it at the end. */
  readonly remove: readonly string[];
  /** Text put at the end of files that must be there, by their paths in the tree. */
  readonly append?: Readonly<Record<string, string>>;
}

export const SUITE = 'bookworm';
export const DISTRIBUTION = 'debian-12';

/** Raise when code that shapes the tree changes (finish-tree.ts, mmdebstrap.ts). */
const RECIPE_VERSION = 1;

/** Shared libraries that wheels, interpreters and extensions built in `build` link to. */
const LIBRARIES = [
  'libbz2-1.0',
  'libexpat1',
  'libffi8',
  'libgdbm6',
  'libgomp1',
  'libjpeg62-turbo',
  'liblzma5',
  'libmagic1',
  'libmariadb3',
  'libncursesw6',
  'libpq5',
  'libreadline8',
  'libsqlite3-0',
  'libssl3',
  'libstdc++6',
  'libuuid1',
  'libxml2',
  'libxslt1.1',
  'libyaml-0-2',
  'zlib1g',
];

/**
 * gettext is for compilemessages; python3 serves machines without other interpreters; fakeroot and
 * the keys of the archive are for packages that an app asks for.
 */
const TOOLS = [
  'ca-certificates',
  'fakeroot',
  'gettext',
  'media-types',
  'procps',
  'python3',
  'python3-distutils',
  'tzdata',
];

/** Compiler, git for requirements from repositories, headers of libraries that the base has. */
const COMPILERS = [
  'build-essential',
  'git',
  'libldap-dev',
  'libsasl2-dev',
  'libffi-dev',
  'libjpeg62-turbo-dev',
  'libmariadb-dev',
  'libpq-dev',
  'libssl-dev',
  'libxml2-dev',
  'libxslt1-dev',
  'libyaml-dev',
  'pkg-config',
  'python3-dev',
  'zlib1g-dev',
];

/** What only installing, reading manuals or other languages needs. */
const UNUSED = [
  'boot',
  'etc/apt',
  'media',
  'mnt',
  'srv',
  'usr/lib/apt',
  'usr/share/bug',
  'usr/share/doc',
  'usr/share/info',
  'usr/share/lintian',
  'usr/share/locale',
  'usr/share/man',
  'usr/share/pixmaps',
  'var/cache',
  'var/lib/apt',
  'var/lib/dpkg/info',
  'var/lib/dpkg/status-old',
  'var/log',
];

/** On these, packages of an app are installed (builder/system-packages). */
const UNUSED_BUT_APT = UNUSED.filter((path) => path !== 'usr/lib/apt');

/**
 * Beside those that PostgreSQL trusts itself: they only add types, functions or an index method, so an
 * app's own user may create them (migrations do).
 */
const TRUSTED_EXTENSIONS = ['bloom', 'dict_xsyn', 'intagg'];

const RECIPES: Readonly<Record<StackKind, Recipe>> = {
  base: { packages: [...TOOLS, ...LIBRARIES], beforePackages: [], remove: UNUSED_BUT_APT },
  build: {
    packages: [...TOOLS, ...LIBRARIES, ...COMPILERS],
    beforePackages: [],
    remove: UNUSED_BUT_APT,
  },
  postgresql: {
    packages: ['ca-certificates', 'postgresql-15', 'tzdata'],
    // The package would make a cluster in the tree; ours lie on volumes.
    beforePackages: [
      'mkdir -p "$1/etc/postgresql-common"',
      'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"',
    ],
    remove: [
      ...UNUSED,
      'etc/postgresql',
      // A private key that every installation would share.
      'etc/ssl/*/ssl-cert-snakeoil*',
      // Just-in-time compilation is off where its provider is missing; LLVM is 100 MB.
      'usr/lib/*/lib{LLVM,z3}*',
      'usr/lib/postgresql/15/lib/bitcode',
      'usr/lib/postgresql/15/lib/llvmjit*',
      'usr/lib/*/perl/*/CORE',
      'usr/share/i18n',
      'var/lib/postgresql',
    ],
    append: Object.fromEntries(
      TRUSTED_EXTENSIONS.map((name) => [
        `usr/share/postgresql/15/extension/${name}.control`,
        'trusted = true\n',
      ]),
    ),
  },
  redis: {
    packages: ['ca-certificates', 'redis-server', 'tzdata'],
    beforePackages: [],
    // Settings come from the platform, data lie on volumes.
    remove: [...UNUSED, 'etc/redis', 'usr/share/i18n', 'var/lib/redis'],
  },
};

export function recipeOf(kind: StackKind): Recipe {
  return RECIPES[kind];
}

/** Sixteen hex digits that change with whatever could change the stack, the archive's state apart. */
export function recipeHash(kind: StackKind, architecture: string): string {
  const recipe = JSON.stringify([RECIPE_VERSION, SUITE, architecture, RECIPES[kind]]);
  return createHash('sha256').update(recipe).digest('hex').slice(0, 16);
}

/** What an interpreter or a package choice must know of the base stack. */
export const STACK_FACTS = { pythonVersion: '3.11.2', glibcMinor: 36 } as const;
