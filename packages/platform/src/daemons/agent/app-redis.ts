// The Redis servers of apps: addresses come from the store's counter, logs lie with the app's own.
import { join } from 'node:path';
import { instanceAddresses, serviceUid, type Installation } from '../../domain/installation.ts';
import type { Repository } from '../../nexus/documents/repository.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import { logsDirectory, volumesDirectory, type Paths } from '../../ports/paths.ts';
import { AppRedis } from '../../services/redis/index.ts';
import { formatLogFileName } from '../../telemetry/log-files.ts';

export interface AppRedisOptions {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly repository: Repository;
  readonly clock: Clock;
  readonly stack: LayerRef;
}

export function openAppRedis(options: AppRedisOptions): AppRedis {
  const { installation, paths, repository, clock, stack } = options;
  return new AppRedis({
    clock,
    stack,
    volumesDirectory: volumesDirectory(paths),
    takeAddress: async () => instanceAddresses(installation, await repository.takeAddresses(1)),
    uidOf: (appId) => serviceUid(installation.slot, appId),
    logPathOf: (appId, instanceId) =>
      join(
        logsDirectory(paths),
        String(appId),
        formatLogFileName({ process: 'redis', release: '-', id: instanceId }),
      ),
  });
}
