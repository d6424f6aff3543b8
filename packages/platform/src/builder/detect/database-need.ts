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

/** Behind SQLAlchemy the app's PostgreSQL takes the place of what they speak to. */
const OTHER_DRIVERS = ['aiomysql', 'asyncmy', 'pymysql', 'mysqlclient', 'mysql-connector-python'];
const URL_VARIABLE = /\b[A-Z_]*(?:DB|DATABASE)_UR[LI]\b/;

export function detectDatabaseNeed(
  tree: SourceTree,
  root: string,
  names: readonly string[],
): Finding | undefined {
  const driver = names.find((name) => POSTGRESQL_DRIVERS.includes(name));
  if (driver !== undefined) return finding('database', 'postgresql', `${driver} is a dependency`);
  const files = walkFiles(tree, root, 3).filter((file) => file.endsWith('.py'));
  const place = firstLine(tree, files, /\bDATABASE_URL\b/);
  if (place !== undefined) return finding('database', 'postgresql', 'reads DATABASE_URL', place);
  const other = names.find((name) => OTHER_DRIVERS.includes(name));
  const url = firstLine(tree, files, URL_VARIABLE);
  return other === undefined || url === undefined || !names.includes('sqlalchemy')
    ? undefined
    : finding('database', 'postgresql', `instead of what ${other} speaks to`, url);
}
