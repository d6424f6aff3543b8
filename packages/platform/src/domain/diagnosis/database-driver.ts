// The library that speaks to the database is not installed, or is not the one that the URL asks for.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere, type Traceback } from './traceback.ts';

interface Driver {
  readonly says: RegExp;
  readonly what: string;
  readonly hint: string;
}

const add = (distribution: string): string => `add ${distribution} to the dependencies`;

const DRIVERS: readonly Driver[] = [
  {
    says: /Error loading psycopg2 or psycopg module|Error loading psycopg2 module/,
    what: 'No driver of PostgreSQL is installed',
    hint: add('"psycopg[binary]"'),
  },
  {
    says: /Error loading MySQLdb module/,
    what: 'No driver of MySQL is installed',
    hint: `${add('mysqlclient')}, or let the app use PostgreSQL: DATABASE_URL is set`,
  },
  {
    says: /Error loading (?:cx_Oracle|oracledb) module/,
    what: 'No driver of Oracle is installed',
    hint: add('oracledb'),
  },
  {
    says: /no pq wrapper available/,
    what: 'psycopg finds no libpq',
    hint: add('"psycopg[binary]"'),
  },
  {
    says: /Can't load plugin: sqlalchemy\.dialects:postgres\b/,
    what: 'SQLAlchemy does not know the dialect "postgres"',
    hint: 'write postgresql:// where the project makes it postgres://; DATABASE_URL begins with postgresql://',
  },
  {
    says: /The asyncio extension requires an async driver/,
    what: 'The engine is asynchronous and its driver is not',
    hint: `${add('asyncpg')} and make the URL postgresql+asyncpg:// where the engine is created`,
  },
  {
    says: /Can't load plugin: sqlalchemy\.dialects:/,
    what: 'SQLAlchemy does not know the dialect of the URL',
    hint: 'add the package that brings the dialect to the dependencies',
  },
];

/** Modules that only speak to databases, and what brings them. */
const MODULES: Readonly<Record<string, string>> = {
  psycopg2: 'psycopg2-binary',
  psycopg: '"psycopg[binary]"',
  asyncpg: 'asyncpg',
  pg8000: 'pg8000',
  MySQLdb: 'mysqlclient',
  pymysql: 'PyMySQL',
  aiomysql: 'aiomysql',
  asyncmy: 'asyncmy',
  aiosqlite: 'aiosqlite',
  pyodbc: 'pyodbc',
  oracledb: 'oracledb',
};

export function databaseDriver({ logTail }: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(logTail);
  if (traceback === undefined) return undefined;
  const known = DRIVERS.find(({ says }) => says.test(traceback.message)) ?? byModule(traceback);
  return (
    known && {
      code: 'DATABASE_DRIVER_MISSING',
      message: `${known.what}.`,
      where: projectWhere(traceback),
      hint: known.hint,
    }
  );
}

function byModule({ message }: Traceback): Omit<Driver, 'says'> | undefined {
  const module = /^No module named '(\w+)/.exec(message)?.[1] ?? '';
  const distribution = MODULES[module];
  if (distribution === undefined) return undefined;
  return { what: `The database driver "${module}" is not installed`, hint: add(distribution) };
}
