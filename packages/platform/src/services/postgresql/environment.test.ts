import { describe, expect, it } from 'vitest';
import { databaseEnvironment, databaseUrl } from './environment.ts';

const link = { hostname: 'postgres.internal', ipv6: 'fd00::5', port: 5432 };
const credentials = { role: 'app_3', database: 'app_3', password: 'p@ss/w:rd?#%' };

describe('databaseUrl', () => {
  it('gives back what went in', () => {
    const url = new URL(databaseUrl(credentials, link));
    expect(url.protocol).toBe('postgresql:');
    expect(decodeURIComponent(url.username)).toBe('app_3');
    expect(decodeURIComponent(url.password)).toBe(credentials.password);
    expect(url.hostname).toBe('postgres.internal');
    expect(url.port).toBe('5432');
    expect(url.pathname).toBe('/app_3');
  });
});

describe('databaseEnvironment', () => {
  const env = databaseEnvironment(credentials, link);

  it('speaks libpq', () => {
    expect(env).toMatchObject({
      PGHOST: 'postgres.internal',
      PGPORT: '5432',
      PGUSER: 'app_3',
      PGPASSWORD: credentials.password,
      PGDATABASE: 'app_3',
    });
  });

  it.each(['POSTGRES_', 'DB_'])('names host, port, user and password with %s', (prefix) => {
    expect(env[`${prefix}HOST`]).toBe('postgres.internal');
    expect(env[`${prefix}PORT`]).toBe('5432');
    expect(env[`${prefix}USER`]).toBe('app_3');
    expect(env[`${prefix}PASSWORD`]).toBe(credentials.password);
  });

  it('names the database as either family does', () => {
    expect(env.POSTGRES_DB).toBe('app_3');
    expect(env.DB_NAME).toBe('app_3');
  });

  it('holds strings that are valid in an environment', () => {
    for (const [name, value] of Object.entries(env)) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(value).not.toContain('\0');
    }
  });
});
