import { expect, it } from 'vitest';
import { aliasValues } from './aliases.ts';

it('gives a value under another name, where there is one', () => {
  const aliases = { SHOP_DB_HOST: 'PGHOST', CACHE: 'REDIS_URL' };
  expect(aliasValues(aliases, { PGHOST: 'pg', PGPORT: '5432' })).toEqual({ SHOP_DB_HOST: 'pg' });
});
