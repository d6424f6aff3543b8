// The log files of an app: `<process>~<release>~<id>.log`, one series for each instance, job, build
// or other writer. A rotation renames the file to `.1`, the next one to `.2` ...: the highest number
// is the youngest part, and the file without a number is being written.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface LogSeriesName {
  /** `web.1`, `build`, `router` ... */
  readonly process: string;
  /** `v3`, `d7` for the build of deploy 7, `-` for what belongs to none. */
  readonly release: string;
  /** Instance id, job id, build id, or `balancer`. */
  readonly id: string;
}

export interface LogFile extends LogSeriesName {
  /** File name without the number of the part. */
  readonly series: string;
  /** Undefined: the one being written. */
  readonly part: number | undefined;
  readonly path: string;
  /** Stays the same when the file is renamed, and is never another file's. */
  readonly identity: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

const NAME =
  /^((?<process>[^~/]+)~(?<release>[^~/]+)~(?<id>[^~/]+)\.log)(?:\.(?<part>[1-9]\d{0,8}))?$/;

export function formatLogFileName({ process, release, id }: LogSeriesName): string {
  return `${process}~${release}~${id}.log`;
}

/** Undefined for files that are none of ours, conmon's drafts (`.tmp`) among them. */
export function parseLogFileName(
  name: string,
): (LogSeriesName & Pick<LogFile, 'series' | 'part'>) | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const { process = '', release = '', id = '', part } = match.groups ?? {};
  const series = match[1] ?? name;
  return { process, release, id, series, part: part === undefined ? undefined : Number(part) };
}

/** A rotation is over in moments; a directory that changes all the time is taken as it is. */
const LISTINGS_MAX = 5;

/**
 * Parts of a series stand together, oldest first. Empty when there is no directory. Of one moment:
 * were a file renamed and made anew between our looks at the names and at the files, the new one
 * would be listed without the part that comes before it.
 */
export async function listLogFiles(
  directory: string,
  isWanted: (name: LogSeriesName) => boolean = () => true,
): Promise<LogFile[]> {
  let names = await listNames(directory, isWanted);
  for (let listings = 1; ; listings += 1) {
    const files = await Promise.all(names.map((name) => describeFile(directory, name)));
    const namesAfter = await listNames(directory, isWanted);
    if (names.join('/') === namesAfter.join('/') || listings === LISTINGS_MAX) {
      return uniqueFiles(files.filter((file) => file !== undefined)).sort(bySeriesAndAge);
    }
    names = namesAfter;
  }
}

async function listNames(
  directory: string,
  isWanted: (name: LogSeriesName) => boolean,
): Promise<string[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const isOurs = (name: string): boolean => {
    const parsed = parseLogFileName(name);
    return parsed !== undefined && isWanted(parsed);
  };
  return names.filter(isOurs).sort();
}

export function groupBySeries(files: readonly LogFile[]): Map<string, LogFile[]> {
  return Map.groupBy(files, (file) => file.series);
}

async function describeFile(directory: string, name: string): Promise<LogFile | undefined> {
  const parsed = parseLogFileName(name);
  const path = join(directory, name);
  // Renamed or removed since the directory was read.
  const found = await stat(path).catch(() => undefined);
  if (parsed === undefined || found === undefined || !found.isFile()) return undefined;
  return {
    ...parsed,
    path,
    identity: identityOf(found),
    sizeBytes: found.size,
    modifiedAtMs: found.mtimeMs,
  };
}

/** Inode numbers are used again; together with the time of birth they are not. */
export function identityOf(file: { dev: number; ino: number; birthtimeMs: number }): string {
  return `${file.dev}:${file.ino}:${file.birthtimeMs}`;
}

/** A file renamed while the directory is read may show up under both names. */
function uniqueFiles(files: readonly LogFile[]): LogFile[] {
  return [...new Map(files.map((file) => [file.identity, file])).values()];
}

function bySeriesAndAge(a: LogFile, b: LogFile): number {
  if (a.series !== b.series) return a.series < b.series ? -1 : 1;
  return (a.part ?? Infinity) - (b.part ?? Infinity);
}
