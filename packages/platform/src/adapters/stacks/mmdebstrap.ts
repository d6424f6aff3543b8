// The call of mmdebstrap that fills a tree: a reason per flag, no policy.
import { archiveLines, KEYRING, type AptMirror } from './apt-mirror.ts';
import { SUITE, type Recipe } from './recipe.ts';

const HOOKS = '/usr/share/mmdebstrap/hooks';

export interface MmdebstrapCall {
  readonly tree: string;
  readonly recipe: Recipe;
  readonly mirror: AptMirror;
}

export function mmdebstrapArgv({ tree, recipe, mirror }: MmdebstrapCall): [string, ...string[]] {
  return [
    ...CONTAINED,
    'mmdebstrap',
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--keyring=${KEYRING}`,
    // Makes /bin a link from the start; the usrmerge package would bring all of Perl for it.
    `--hook-dir=${HOOKS}/merged-usr`,
    ...EXCLUDED.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...recipe.beforePackages.map((line) => `--essential-hook=${line}`),
    `--include=${recipe.packages.join(',')}`,
    SUITE,
    tree,
    ...archiveLines(mirror),
  ];
}

/**
 * Own mount and pid namespace, killed with us: maintainer scripts can leave neither a mount nor a
 * process behind, whenever and however this ends.
 */
export const CONTAINED = [
  'setpriv',
  '--pdeathsig',
  'KILL',
  'unshare',
  '--mount',
  '--pid',
  '--mount-proc',
  '--fork',
  '--kill-child=KILL',
] as const;

const EXCLUDED = ['doc', 'info', 'locale', 'man'].map((name) => `/usr/share/${name}/*`);
