// What the kernel says is mounted: /proc/PID/mountinfo, see proc_pid_mountinfo(5).
import { readFile } from 'node:fs/promises';

export interface MountEntry {
  readonly mountPoint: string;
  /** Options of this mount, for example `rw,nosuid,noexec`. */
  readonly options: string;
  readonly fsType: string;
  readonly source: string;
  /** Options of the file system, for example an overlay's `lowerdir=`. */
  readonly superOptions: string;
}

export async function readMountTable(pid: number | 'self' = 'self'): Promise<MountEntry[]> {
  return parseMountInfo(await readFile(`/proc/${pid}/mountinfo`, 'utf8'));
}

export async function isMountPoint(path: string): Promise<boolean> {
  return (await readMountTable()).some(({ mountPoint }) => mountPoint === path);
}

/** The mount that `path` lies on: the deepest, and of those at one place the latest. */
export function mountOf(path: string, table: readonly MountEntry[]): MountEntry | undefined {
  const isAbove = ({ mountPoint }: MountEntry): boolean =>
    mountPoint === '/' || mountPoint === path || path.startsWith(`${mountPoint}/`);
  const depth = (mount?: MountEntry): number => mount?.mountPoint.length ?? 0;
  return table
    .filter(isAbove)
    .reduce<MountEntry | undefined>(
      (deepest, mount) => (depth(mount) >= depth(deepest) ? mount : deepest),
      undefined,
    );
}

export function parseMountInfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    // Optional fields end with a lone dash; what is before and after it has fixed positions.
    const dash = line.indexOf(' - ');
    if (dash === -1) return [];
    const [mountPoint = '', options = ''] = line.slice(0, dash).split(' ').slice(4);
    const [fsType = '', source = '', superOptions = ''] = line.slice(dash + 3).split(' ');
    const names = { mountPoint: unescape(mountPoint), source: unescape(source) };
    return [{ ...names, options, fsType, superOptions }];
  });
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
