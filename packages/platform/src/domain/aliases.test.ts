import { expect, it } from 'vitest';
import { aliasValues } from './aliases.ts';

it('gives a value under another name, where there is one', () => {
  const aliases = { SHOP_DB_HOST: 'PGHOST', CACHE: 'REDIS_URL' };
  expect(aliasValues(aliases, { PGHOST: 'pg', PGPORT: '5432' })).toEqual({ SHOP_DB_HOST: 'pg' });
});

it('puts a driver into the scheme of a URL, unless it has one', () => {
  const aliases = { DATABASE_URL: 'DATABASE_URL+asyncpg' };
  const under = (url: string) => aliasValues(aliases, { DATABASE_URL: url })['DATABASE_URL'];
  expect(under('postgresql://u:p@h/d')).toBe('postgresql+asyncpg://u:p@h/d');
  expect(under('postgres://u:p@h/d')).toBe('postgresql+asyncpg://u:p@h/d');
  expect(under('postgresql+psycopg://h/d')).toBe('postgresql+psycopg://h/d');
  expect(under('mysql://h/d')).toBe('mysql://h/d');
});
