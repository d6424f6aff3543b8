// Whether an app without Django wants PostgreSQL. (For Django the imported settings say it.)
import type { Finding } from '../../domain/release.ts';
import { finding } from './evidence.ts';
import { firstLine, walkFiles, type SourceTree } from './source-tree.ts';

/** Distributions that speak to PostgreSQL. */
export const POSTGRESQL_DRIVERS = [
  'psycopg',
  'psycopg2',
  'psycopg2-binary',
  'psycopg-binary',
  'asyncpg',
  'pg8000',
  'aiopg',
];

export function detectDatabaseNeed(
  tree: SourceTree,
  root: string,
  names: readonly string[],
): Finding | undefined {
  const driver = names.find((name) => POSTGRESQL_DRIVERS.includes(name));
  if (driver !== undefined) return finding('database', 'postgresql', `${driver} is a dependency`);
  const files = walkFiles(tree, root, 3).filter((file) => file.endsWith('.py'));
  const place = firstLine(tree, files, /\bDATABASE_URL\b/);
  return place === undefined
    ? undefined
    : finding('database', 'postgresql', 'reads DATABASE_URL', place);
}
