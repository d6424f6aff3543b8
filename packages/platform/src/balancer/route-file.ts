// The last table on disk.
import type { RouteSnapshot } from '../domain/route-table.ts';
import { RouteSnapshotSchema } from '../ports/route-messages.ts';
import { StateFile } from './state-file.ts';

export interface RouteFileOptions {
  readonly path: string;
  readonly takeSnapshot: () => RouteSnapshot;
  readonly log: (line: string) => void;
}

export class RouteFile extends StateFile<RouteSnapshot> {
  constructor({ path, takeSnapshot, log }: RouteFileOptions) {
    super({
      ...{ path, log, what: 'routes', schema: RouteSnapshotSchema },
      take: takeSnapshot,
      versionOf: ({ epoch }) => epoch,
    });
  }
}
