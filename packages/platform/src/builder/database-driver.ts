// The driver of PostgreSQL for projects that bring none: about half of them. Pure.
import { POSTGRESQL_DRIVERS } from './detect/database-need.ts';
import type { Detection } from './detect/detect.ts';
import { isOlder } from './detect/version-specifier.ts';
import type { AdditionName } from './steps/addition-layer.ts';
import { versionIn, type Lock } from './steps/lock.ts';
import type { PrepareReport } from './steps/prepare-report.ts';

const DRIVER_PSYCOPG3_SINCE_DJANGO = '4.2';
/** Since then `postgresql://` means psycopg, also to a project that brings psycopg2. */
const DRIVER_PSYCOPG3_SINCE_SQLALCHEMY = '2.1';
/** What reads `postgresql://` and then asks for psycopg2 by default. */
const TAKES_PSYCOPG2 = ['sqlalchemy', 'peewee', 'pony', 'records', 'dataset'];

type DatabaseOf = Pick<Detection, 'settings' | 'wantsDatabase' | 'databaseDriver'>;

export function driverFor(
  { settings, wantsDatabase, databaseDriver }: DatabaseOf,
  lock: Lock | undefined,
): AdditionName | undefined {
  const names = lock?.packages.map(({ name }) => name) ?? [];
  const drivers = names.filter((name) => POSTGRESQL_DRIVERS.includes(name));
  if (databaseDriver === 'psycopg' && !drivers.some((name) => /^psycopg(-|$)/.test(name))) {
    return wantsDatabase ? 'psycopg' : undefined;
  }
  const sqlalchemy = settings === undefined ? versionIn(lock, 'sqlalchemy') : undefined;
  if (sqlalchemy !== undefined && !isOlder(sqlalchemy, DRIVER_PSYCOPG3_SINCE_SQLALCHEMY)) {
    const isWithoutIt = drivers.every((name) => name.startsWith('psycopg2'));
    return wantsDatabase && isWithoutIt ? 'psycopg' : undefined;
  }
  if (drivers.length > 0) return undefined;
  if (settings === undefined) {
    const takesOne = wantsDatabase && names.some((name) => TAKES_PSYCOPG2.includes(name));
    return takesOne ? 'psycopg2' : undefined;
  }
  const django = versionIn(lock, 'django');
  const isOld = django !== undefined && isOlder(django, DRIVER_PSYCOPG3_SINCE_DJANGO);
  return isOld ? 'psycopg2' : 'psycopg';
}

export function usesPostgresql(
  { settings, wantsDatabase }: Pick<Detection, 'settings' | 'wantsDatabase'>,
  report: Pick<PrepareReport, 'databases'>,
): boolean {
  if (settings === undefined) return wantsDatabase;
  const engines = Object.values(report.databases ?? {}).map(({ engine }) => engine);
  return engines.some((engine) => /postg|psycopg/.test(engine));
}
