// The driver that a project's SQLAlchemy wants to find in the URL of its database: `postgresql://`
// alone means psycopg2 there (psycopg since 2.1), whatever else is installed, and no async engine.
import type { Finding } from '../../domain/release.ts';
import { isProductionPath } from './dependencies/production-names.ts';
import { finding } from './evidence.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';

export interface DatabaseDialect {
  /** `asyncpg` of `postgresql+asyncpg://`. */
  readonly driver: string;
  readonly finding: Finding;
}

const DEPTH_MAX = 5;
const FILES_MAX = 2_000;
/** Driver -> distributions that bring it. */
const DISTRIBUTIONS: Readonly<Record<string, readonly string[]>> = {
  asyncpg: ['asyncpg'],
  psycopg: ['psycopg', 'psycopg-binary'],
  psycopg_async: ['psycopg', 'psycopg-binary'],
  psycopg2: ['psycopg2', 'psycopg2-binary'],
  pg8000: ['pg8000'],
};
const WITH_DRIVER = /\bpostgres(?:ql)?\+(\w+)\b/;
/** The project makes one URL into another by itself; ours is to be the plain one. */
const CONVERTS =
  /\.replace\(\s*["']postgres(ql)?(:\/\/)?["']|\bre\.sub\([^)]*postgres|drivername\s*=|\.set\(\s*drivername/;
const ASYNC_ENGINE = /\bcreate_async_engine\(/;

export function detectDatabaseDialect(
  tree: SourceTree,
  root: string,
  dependencies: readonly string[],
): DatabaseDialect | undefined {
  const orm = ['sqlalchemy', 'sqlmodel', 'flask-sqlalchemy', 'databases'];
  if (!orm.some((name) => dependencies.includes(name))) return undefined;
  const lines = linesOf(tree, root);
  if (lines.some(({ text }) => CONVERTS.test(text))) return undefined;
  const brings = (driver: string): boolean =>
    (DISTRIBUTIONS[driver] ?? []).some((name) => dependencies.includes(name));
  for (const { text, evidence } of lines) {
    const driver = WITH_DRIVER.exec(text)?.[1] ?? '';
    if (brings(driver)) return dialect(driver, 'its own default', evidence);
  }
  const engine = lines.find(({ text }) => ASYNC_ENGINE.test(text));
  const async = ['asyncpg', 'psycopg'].find(brings);
  if (engine !== undefined) {
    const why = 'its engine is an async one';
    return async === undefined
      ? dialect('psycopg', `${why}; it brings no driver, so ours`, engine.evidence)
      : dialect(async, why, engine.evidence);
  }
  if (brings('psycopg') && !brings('psycopg2')) return dialect('psycopg', 'the driver it brings');
  return undefined;
}

function dialect(driver: string, why: string, evidence?: string): DatabaseDialect {
  return { driver, finding: finding('database', `postgresql+${driver}`, why, evidence) };
}

interface Line {
  readonly text: string;
  readonly evidence: string;
}

/** Those that speak of the database, of code that production runs. */
function linesOf(tree: SourceTree, root: string): Line[] {
  const files = walkFiles(tree, root, DEPTH_MAX)
    .filter((path) => path.endsWith('.py') && isProductionPath(path))
    .slice(0, FILES_MAX);
  return files.flatMap((file) => {
    const source = tree.read(file) ?? '';
    if (!/postgres|create_async_engine|drivername/.test(source)) return [];
    return source.split('\n').flatMap((line, index) => {
      const text = line.trim();
      return text.startsWith('#') ? [] : [{ text, evidence: `${file}:${index + 1}` }];
    });
  });
}
