// An app's volume: writable storage of fixed size that outlives releases. Each path of the app that
// must survive is a directory of its own at the top of the volume, bind-mounted over that path.
import { LIMITS } from './limits.ts';

export interface VolumePath {
  /** Absolute, inside the sandbox: `/app/media`. */
  readonly path: string;
  /** Default: a directory. A file gets a directory of its own, and a link stands in its place. */
  readonly kind?: 'directory' | 'file';
  /** The static server reads it. */
  readonly isPublic?: boolean;
  readonly why: string;
  /** `file` or `file:line` in the source. */
  readonly evidence?: string;
}

export interface VolumePlan {
  readonly sizeBytes: number;
  readonly paths: readonly VolumePath[];
}

export interface VolumeDirectory {
  /** At the top of the volume. */
  readonly name: string;
  /** Where it is mounted inside. */
  readonly target: string;
  /** What the image carries here is the content of a new one. */
  readonly seed: { readonly kind: 'directory' | 'file'; readonly path: string };
  readonly isPublic: boolean;
}

export interface VolumeLayout {
  readonly directories: readonly VolumeDirectory[];
  /** Path inside -> what the link there points to. */
  readonly links: Readonly<Record<string, string>>;
}

/** Of files; ours, so no path of an app can lie above it. */
const FILES_ROOT = '/run/tandem/files';
const PATH_LENGTH_MAX = 200;
/** No plus sign: names at the top of the volume have it for the slash. */
const PATH = /^\/[A-Za-z0-9_][\w.@-]*(\/[\w.@-]+)*$/;
/** Not by themselves; below them a volume may lie. */
const SYSTEM = /^\/(app|home|opt|root|var|var\/lib)$/;
const SYSTEM_TREE =
  /^\/(bin|boot|dev|etc|lib\w*|proc|run|sbin|static|sys|tmp|usr|venv|opt\/(python|tandem))(\/|$)/;
const SIZE = /^(\d+)\s*(?:(M)|(G)|(T))(?:i?B)?$/i;
const MIB = 1024 * 1024;

/** Whether a volume may lie at this absolute path. */
export function isVolumePath(path: string): boolean {
  if (path.length > PATH_LENGTH_MAX || !PATH.test(path)) return false;
  if (path.split('/').some((part) => part === '.' || part === '..')) return false;
  return !SYSTEM.test(path) && !SYSTEM_TREE.test(path);
}

export function volumeLayout({ paths }: VolumePlan): VolumeLayout {
  const links: Record<string, string> = {};
  const directories = paths.map((one): VolumeDirectory => {
    const { path, kind = 'directory', isPublic = false } = one;
    const name = directoryName(path);
    const seed = { kind, path };
    if (kind === 'directory') return { name, target: path, seed, isPublic };
    const target = `${FILES_ROOT}/${name}`;
    links[path] = `${target}/${path.slice(path.lastIndexOf('/') + 1)}`;
    return { name, target, seed, isPublic };
  });
  return { directories, links };
}

/** Where a directory of the app lies on the volume: `app+instance/uploads`. */
export function placeOnVolume(plan: VolumePlan | undefined, path: string): string | undefined {
  const above = plan?.paths.find(
    (one) => one.kind !== 'file' && (path === one.path || path.startsWith(`${one.path}/`)),
  );
  return above && `${directoryName(above.path)}${path.slice(above.path.length)}`;
}

/**
 * Without those that lie within another; of two for the same path the first. What holds something
 * public is public.
 */
export function withoutNested(paths: readonly VolumePath[]): VolumePath[] {
  const isWithin = (one: VolumePath, other: VolumePath): boolean =>
    other.kind !== 'file' && one.path.startsWith(`${other.path}/`);
  return paths
    .filter((one, index) => !paths.some((other) => isWithin(one, other)) && isFirst(paths, index))
    .map((one) => {
      const isPublic = paths.some(
        (other) => other.isPublic && (other.path === one.path || isWithin(other, one)),
      );
      return isPublic ? { ...one, isPublic } : one;
    });
}

function isFirst(paths: readonly VolumePath[], index: number): boolean {
  return paths.findIndex(({ path }) => path === paths[index]?.path) === index;
}

/** "2GiB", "500M". Undefined when it is no size, or out of bounds. */
export function parseVolumeSize(text: string): number | undefined {
  const [, digits, mebi, gibi] = SIZE.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  const unit = mebi ? MIB : gibi ? 1024 * MIB : 1024 * 1024 * MIB;
  const sizeBytes = Number(digits) * unit;
  const { sizeBytesMin, sizeBytesMax } = LIMITS.volume;
  return sizeBytes >= sizeBytesMin && sizeBytes <= sizeBytesMax ? sizeBytes : undefined;
}

function directoryName(path: string): string {
  return path.slice(1).replaceAll('/', '+');
}
