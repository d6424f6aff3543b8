// The scratch disk of one build and what lies on it. Root makes the top directories; what the build
// may write belongs to its uid and is never followed through links afterwards.
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface BuildDisk {
  /** Becomes /app. */
  readonly source: string;
  /** Becomes /static. */
  readonly staticFiles: string;
  /** Becomes /opt/tandem/overlay; root's, so the build cannot change it. */
  readonly overlay: string;
  /** A virtualenv being made. */
  readonly venv: string;
  /** /build inside: cache, results, targets. */
  readonly work: string;
}

export async function layOutDisk(root: string, buildUid: number): Promise<BuildDisk> {
  const disk: BuildDisk = {
    source: join(root, 'app'),
    staticFiles: join(root, 'static'),
    overlay: join(root, 'overlay'),
    venv: join(root, 'venv'),
    work: join(root, 'work'),
  };
  await Promise.all(Object.values(disk).map((path: string) => mkdir(path, { mode: 0o755 })));
  const writable = [disk.source, disk.staticFiles, disk.work];
  await Promise.all(writable.map((path) => chown(path, buildUid, buildUid)));
  return disk;
}
