// What an attached app finds in its environment: the URL, libpq's own variables, and the names that
// real projects read instead.
import type { ServiceLink } from '../../ports/runner.ts';
import type { PostgresqlCredentials } from './credentials.ts';

export function databaseUrl(credentials: PostgresqlCredentials, link: ServiceLink): string {
  const [role, password, database] = [
    credentials.role,
    credentials.password,
    credentials.database,
  ].map(encodeURIComponent);
  return `postgresql://${role}:${password}@${link.hostname}:${link.port}/${database}`;
}

export function databaseEnvironment(
  credentials: PostgresqlCredentials,
  link: ServiceLink,
): Record<string, string> {
  const { role, password, database } = credentials;
  const port = String(link.port);
  const url = databaseUrl(credentials, link);
  return {
    DATABASE_URL: url,
    PGHOST: link.hostname,
    PGPORT: port,
    PGUSER: role,
    PGPASSWORD: password,
    PGDATABASE: database,
    // The way to the server never leaves this machine. Projects that insist on TLS
    // (`ssl_require=True`) still get it: what they pass to the driver wins over this.
    PGSSLMODE: 'disable',
    POSTGRES_URL: url,
    POSTGRES_HOST: link.hostname,
    POSTGRES_PORT: port,
    POSTGRES_USER: role,
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: database,
    DB_HOST: link.hostname,
    DB_PORT: port,
    DB_USER: role,
    DB_USERNAME: role,
    DB_PASSWORD: password,
    DB_PASS: password,
    DB_NAME: database,
    DB_DATABASE: database,
  };
}
