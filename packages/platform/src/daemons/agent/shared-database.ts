// The platform's own PostgreSQL: its address and administrator are made once and kept in the store.
import { join } from 'node:path';
import {
  gatewayIpv4,
  gatewayIpv6,
  instanceAddresses,
  ipv4Range,
  ipv6Range,
  PLATFORM_UID,
  platformUid,
  type Installation,
} from '../../domain/installation.ts';
import { machineMemory } from '../../lib/process-memory.ts';
import type { Repository } from '../../nexus/documents/repository.ts';
import { KEYS } from '../../nexus/documents/repository.ts';
import type { ClusterDocument } from '../../nexus/documents/schemas.ts';
import type { SecretBox } from '../../nexus/secrets/secret-box.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import { logsDirectory, type Paths } from '../../ports/paths.ts';
import {
  clusterMemoryBytes,
  generatePassword,
  SharedPostgresql,
} from '../../services/postgresql/index.ts';

const KIND = 'postgresql';
const MAJOR = 15;
const PORT = 5432;
const ADMIN_SECRET_PATH = 'services/postgresql/shared/admin-password';

export interface SharedDatabaseOptions {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly repository: Repository;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly stack: LayerRef;
}

export async function openSharedDatabase(
  options: SharedDatabaseOptions,
): Promise<SharedPostgresql> {
  const { installation, paths, secrets, clock, stack } = options;
  const cluster = await ensureClusterDocument(options);
  return new SharedPostgresql({
    clock,
    cluster: {
      layers: [stack],
      major: MAJOR,
      uid: platformUid(installation.slot, PLATFORM_UID.postgresql),
      ipv6: cluster.ipv6,
      ipv4: cluster.ipv4,
      port: PORT,
      adminAddresses: [gatewayIpv6(installation.ipv6Prefix), gatewayIpv4(installation.slot)],
      appRanges: [ipv6Range(installation.ipv6Prefix), ipv4Range(installation.slot)],
      adminPassword: secrets.open(ADMIN_SECRET_PATH, cluster.adminPassword),
      memoryBytes: clusterMemoryBytes((await machineMemory()).totalBytes),
      logPath: join(logsDirectory(paths), '0', 'postgresql~-~postgresql.log'),
    },
  });
}

async function ensureClusterDocument(options: SharedDatabaseOptions): Promise<ClusterDocument> {
  const { repository, secrets, installation } = options;
  const key = KEYS.cluster(KIND);
  const known = await repository.cluster(KIND);
  if (known) return known.value;
  const addresses = instanceAddresses(installation, await repository.takeAddresses(1));
  return await repository.update([key], (read) => {
    const present = read.get(key) as ClusterDocument | undefined;
    if (present) return { writes: [], result: present };
    const adminPassword = secrets.seal(ADMIN_SECRET_PATH, generatePassword());
    const value: ClusterDocument = { schemaVersion: 1, ...addresses, adminPassword };
    return { writes: [{ kind: 'put', key, value }], result: value };
  });
}
