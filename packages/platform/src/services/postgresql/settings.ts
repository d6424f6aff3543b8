// What the cluster's configuration files say. Pure: the prepare job writes them inside the sandbox.
import { LIMITS } from '../../domain/limits.ts';
import { ADMIN_ROLE } from './identifiers.ts';

const MIB = 1024 * 1024;

/** Where the volume lies inside the sandbox. */
export const VOLUME_TARGET = '/data';

export interface ClusterAddresses {
  /** Addresses of the instance itself; it listens on these only. */
  readonly listen: readonly string[];
  readonly port: number;
  /** From where the platform connects: the gateway of the instances' network. */
  readonly admin: readonly string[];
  /** CIDR ranges of the instances' network: from where apps connect. */
  readonly apps: readonly string[];
}

/**
 * A quarter of the machine, within bounds: connections need more than buffers do. In steps, because
 * another size restarts the cluster and the memory of a machine differs a little between kernels.
 */
export function clusterMemoryBytes(machineBytes: number): number {
  const { memoryBytesMax, memoryBytesMin } = LIMITS.postgresql;
  const quarter = Math.floor(machineBytes / 4 / memoryBytesMin) * memoryBytesMin;
  return Math.min(Math.max(quarter, memoryBytesMin), memoryBytesMax);
}

/** Read after the file that initdb wrote, so this decides. */
export function serverSettings(addresses: ClusterAddresses, memoryBytes: number): string {
  const settings: Record<string, string | number> = {
    listen_addresses: quoted(addresses.listen.join(',')),
    port: addresses.port,
    // No way in through the file system.
    unix_socket_directories: quoted(''),
    hba_file: quoted(`${VOLUME_TARGET}/pg_hba.conf`),
    password_encryption: 'scram-sha-256',
    ssl: 'on',
    ssl_cert_file: quoted(`${VOLUME_TARGET}/server.crt`),
    ssl_key_file: quoted(`${VOLUME_TARGET}/server.key`),

    max_connections: LIMITS.postgresql.connectionsMax,
    superuser_reserved_connections: 5,
    shared_buffers: mebibytes(memoryBytes / 8, { atLeast: 32, atMost: 2048 }),
    effective_cache_size: mebibytes(memoryBytes, { atLeast: 128, atMost: 8192 }),
    maintenance_work_mem: mebibytes(memoryBytes / 16, { atLeast: 16, atMost: 256 }),
    work_mem: '4MB',
    max_wal_size: '256MB',
    min_wal_size: '64MB',
    max_worker_processes: 4,
    max_parallel_workers: 2,
    autovacuum_max_workers: 2,
    // Compiling a query costs more memory than short queries ever win back.
    jit: 'off',
    // One query cannot fill the disk with its temporary files.
    temp_file_limit: '2GB',

    idle_in_transaction_session_timeout: LIMITS.postgresql.idleInTransactionTimeoutMs,
    // An instance that vanished leaves no session behind for long.
    tcp_keepalives_idle: 60,
    tcp_keepalives_interval: 10,
    tcp_keepalives_count: 3,
    client_connection_check_interval: '10s',

    // Errors belong to the app that made them and can carry its data: not into our log.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_checkpoints: 'off',
    log_line_prefix: quoted('%q%u '),
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/**
 * First match decides. The superuser comes from the gateway only, a role of an app opens only the
 * database of its own name, and whatever no line names is refused: local access, replication.
 */
export function accessRules(addresses: ClusterAddresses): string {
  const rule = (...fields: string[]) => `${fields.join(' ')}\n`;
  const scram = 'scram-sha-256';
  return [
    ...addresses.admin.map((address) => rule('host', 'all', ADMIN_ROLE, single(address), scram)),
    rule('host', 'all', ADMIN_ROLE, 'all', 'reject'),
    ...addresses.apps.map((range) => rule('host', 'sameuser', 'all', range, scram)),
  ].join('');
}

function single(address: string): string {
  return address.includes(':') ? `${address}/128` : `${address}/32`;
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function mebibytes(bytes: number, bounds: { atLeast: number; atMost: number }): string {
  const whole = Math.floor(bytes / MIB);
  return `${Math.min(Math.max(whole, bounds.atLeast), bounds.atMost)}MB`;
}
