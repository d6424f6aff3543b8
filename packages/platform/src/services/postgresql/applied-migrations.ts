// Which migrations an app's database has, as Django recorded them. Everything in that database is
// the app's: `django_migrations` may be a view that calls the app's code. So it is read as the
// app's own role, where such code can do what the app can do anyway, and the answer is bounded.
import type { MigrationName } from '../../domain/release.ts';
import { sqlState, withSession, type SessionTarget } from './client.ts';

const BOUNDS = { timeoutMs: 5_000, receivedBytesMax: 8 * 1024 * 1024 };
const MIGRATIONS_MAX = 20_000;
const NAME_LENGTH_MAX = 255;
const UNDEFINED_TABLE = '42P01';

const QUERY = `
  SELECT pg_catalog.left(app::pg_catalog.text, ${NAME_LENGTH_MAX}) AS app,
         pg_catalog.left(name::pg_catalog.text, ${NAME_LENGTH_MAX}) AS name
  FROM django_migrations ORDER BY id LIMIT ${MIGRATIONS_MAX}`;

/** In the order they were applied; undefined when the table does not exist. */
export async function readAppliedMigrations(
  app: SessionTarget,
): Promise<MigrationName[] | undefined> {
  try {
    return await withSession(app, BOUNDS, async (client) => {
      const { rows } = await client.query<{ app: string; name: string }>(QUERY);
      return rows.map(({ app, name }) => `${app}.${name}`);
    });
  } catch (error) {
    if (sqlState(error) === UNDEFINED_TABLE) return undefined;
    throw error;
  }
}
