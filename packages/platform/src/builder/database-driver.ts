// The driver of PostgreSQL for projects that bring none: about half of them. Pure.
import { POSTGRESQL_DRIVERS } from './detect/database-need.ts';
import type { Detection } from './detect/detect.ts';
import { isOlder } from './detect/version-specifier.ts';
import type { AdditionName } from './steps/addition-layer.ts';
import { versionIn, type Lock } from './steps/lock.ts';
import type { PrepareReport } from './steps/prepare-report.ts';

const DRIVER_PSYCOPG3_SINCE_DJANGO = '4.2';
/** What reads `postgresql://` and then asks for psycopg2 by default. */
const TAKES_PSYCOPG2 = ['sqlalchemy', 'peewee', 'pony', 'records', 'dataset'];

export function driverFor(
  { settings, wantsDatabase }: Pick<Detection, 'settings' | 'wantsDatabase'>,
  lock: Lock | undefined,
): AdditionName | undefined {
  const names = lock?.packages.map(({ name }) => name) ?? [];
  if (names.some((name) => POSTGRESQL_DRIVERS.includes(name))) return undefined;
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
