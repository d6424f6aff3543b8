// What the composition root needs of this kind of service.
export { SharedPostgresql, POSTGRESQL_HOSTNAME } from './postgresql.ts';
export { clusterMemoryBytes } from './settings.ts';
export { generatePassword } from '../password.ts';
export type { PostgresqlCredentials } from './credentials.ts';
export type { ClusterOptions } from './cluster.ts';
