import { describe, expect, it } from 'vitest';
import { detectDatabaseDialect } from './database-dialect.ts';
import { detect } from './detect.ts';
import { memoryTree } from './source-tree.ts';

const driverOf = (source: string, dependencies: readonly string[], file = 'app/db.py') =>
  detectDatabaseDialect(memoryTree({ [file]: source }), '', dependencies)?.driver;
const DEFAULT = 'URL = os.getenv("DATABASE_URL", "postgresql+psycopg://a@b/c")\n';
const ENGINE = 'engine = create_async_engine(os.environ["DATABASE_URL"])\n# postgresql\n';

describe('the driver in the URL', () => {
  it.each([
    ['is that of the default', DEFAULT, ['sqlalchemy', 'psycopg'], 'psycopg'],
    ['is an async one', ENGINE, ['sqlmodel', 'asyncpg', 'psycopg2-binary'], 'asyncpg'],
    ['is an async one of two', ENGINE, ['sqlalchemy', 'psycopg'], 'psycopg'],
    ['is ours for an async engine without one', ENGINE, ['sqlalchemy', 'aiomysql'], 'psycopg'],
    ['is the only one', 'import flask\n', ['flask-sqlalchemy', 'psycopg-binary'], 'psycopg'],
  ])('%s', (_, source, dependencies, driver) => {
    expect(driverOf(source, dependencies)).toBe(driver);
  });

  it.each([
    ['without SQLAlchemy', DEFAULT, ['psycopg']],
    ['that is not installed', DEFAULT, ['sqlalchemy', 'psycopg2']],
    [
      'where the project puts it there',
      `${ENGINE}URL = URL.replace("postgresql://", "postgresql+asyncpg://")\n`,
      ['sqlalchemy', 'asyncpg'],
    ],
    ['beside a plain engine', 'create_engine("postgresql://x")\n', ['sqlalchemy', 'asyncpg']],
    ['in a comment', '# "postgresql+asyncpg://"\n', ['sqlalchemy', 'asyncpg']],
    ['of psycopg2, the usual one', 'x = 1\n', ['sqlalchemy', 'psycopg2', 'psycopg']],
  ])('is left out %s', (_, source, dependencies) => {
    expect(driverOf(source, dependencies)).toBeUndefined();
  });

  it('is not that of a test', () => {
    expect(driverOf(DEFAULT, ['sqlalchemy', 'asyncpg', 'psycopg2'], 'tests/db.py')).toBeUndefined();
  });

  it('is in every variable that has the URL', () => {
    const files = {
      'main.py': `import os\nfrom fastapi import FastAPI\napp = FastAPI()\nDSN = os.environ["SHOP_DB_URL"]\n${ENGINE}`,
      'requirements.txt': 'fastapi\nsqlalchemy\nasyncpg\n',
    };
    const found = detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} });
    expect(found.variables.aliases).toEqual({
      DATABASE_URL: 'DATABASE_URL+asyncpg',
      SHOP_DB_URL: 'DATABASE_URL+asyncpg',
    });
    expect(found.findings).toContainEqual({
      rule: 'database',
      value: 'postgresql+asyncpg',
      why: 'its engine is an async one',
      evidence: 'main.py:5',
    });
  });

  it('is ours where the URL was for MySQL', () => {
    const files = {
      'main.py': `import os\nfrom fastapi import FastAPI\napp = FastAPI()\nURL = os.getenv("SHOP_DB_URL", "mysql+aiomysql://a@b/c")\n${ENGINE.replace('DATABASE_URL', 'SHOP_DB_URL')}`,
      'requirements.txt': 'fastapi\nsqlalchemy\naiomysql\n',
    };
    const found = detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} });
    expect(found).toMatchObject({ wantsDatabase: true, databaseDriver: 'psycopg' });
    expect(found.variables.aliases['SHOP_DB_URL']).toBe('DATABASE_URL+psycopg');
  });

  it('is in the second URL only, of a project with two', () => {
    const files = {
      'main.py': `import os\nfrom fastapi import FastAPI\napp = FastAPI()\nA = os.environ["DATABASE_ASYNC_URL"]\nB = os.environ["SHOP_DB_URL"]\n${ENGINE}`,
      'requirements.txt': 'fastapi\nsqlalchemy\nasyncpg\npsycopg2\n',
    };
    const found = detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} });
    expect(found.variables.aliases).toEqual({
      DATABASE_ASYNC_URL: 'DATABASE_URL+asyncpg',
      SHOP_DB_URL: 'DATABASE_URL',
    });
  });
});
