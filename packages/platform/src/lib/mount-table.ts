// What the kernel says is mounted: /proc/PID/mountinfo, see proc_pid_mountinfo(5).
import { readFile } from 'node:fs/promises';

export interface MountEntry {
  readonly mountPoint: string;
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

export function parseMountInfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    // Optional fields end with a lone dash; what is before and after it has fixed positions.
    const dash = line.indexOf(' - ');
    if (dash === -1) return [];
    const mountPoint = line.slice(0, dash).split(' ')[4] ?? '';
    const [fsType = '', source = '', superOptions = ''] = line.slice(dash + 3).split(' ');
    return [{ mountPoint: unescape(mountPoint), fsType, source: unescape(source), superOptions }];
  });
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
