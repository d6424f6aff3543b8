// What the platform hands out at run time, as stand-ins for the build: the project can be imported,
// and nothing it reaches with them is real.
import { redisEnvironment } from '../../domain/redis-environment.ts';

const HOST = '127.0.0.1';
/** The discard port: nothing answers, at once. */
const PORT = 9;

export const STAND_IN_DATABASE_HOST = HOST;

/** Without a database the names of one are not handed out either. */
export function standInConfig(hasDatabase = true): Record<string, string> {
  return {
    PORT: '8000',
    SECRET_KEY: 'stand-in-for-the-build-never-used-to-sign-anything-real',
    ...redisEnvironment({ host: HOST, port: PORT }),
    ...(hasDatabase ? databaseConfig() : {}),
  };
}

function databaseConfig(): Record<string, string> {
  const database = { user: 'build', password: 'build', name: 'build' };
  return {
    DATABASE_URL: `postgresql://${database.user}:${database.password}@${HOST}:${PORT}/${database.name}`,
    PGHOST: HOST,
    PGPORT: String(PORT),
    PGUSER: database.user,
    PGPASSWORD: database.password,
    PGDATABASE: database.name,
    ...aliases('POSTGRES', database, ['USER', 'PASSWORD', 'DB']),
    ...aliases('DB', database, ['USER', 'PASSWORD', 'NAME']),
  };
}

function aliases(
  prefix: string,
  database: { user: string; password: string; name: string },
  [user, password, name]: [string, string, string],
): Record<string, string> {
  return {
    [`${prefix}_HOST`]: HOST,
    [`${prefix}_PORT`]: String(PORT),
    [`${prefix}_${user}`]: database.user,
    [`${prefix}_${password}`]: database.password,
    [`${prefix}_${name}`]: database.name,
  };
}
