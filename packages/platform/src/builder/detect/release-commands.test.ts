import { describe, expect, it } from 'vitest';
import type { EntryPoint } from './entry-point.ts';
import { detectReleaseCommands } from './release-commands.ts';
import { memoryTree } from './source-tree.ts';

const entry: EntryPoint = {
  module: 'shop',
  attribute: 'create_app',
  kind: 'wsgi',
  framework: 'flask',
  factory: true,
  pathEntry: '',
};
const commandsOf = (files: readonly string[], dependencies: readonly string[], root = '') =>
  detectReleaseCommands(memoryTree(Object.fromEntries(files.map((path) => [path, 'x']))), {
    root,
    entry,
    dependencies,
  }).commands;

describe('migrations of', () => {
  it('Flask-Migrate, whichever way the app is made', () => {
    expect(commandsOf(['migrations/env.py'], ['flask-migrate', 'alembic'])).toEqual([
      'python -m flask db upgrade',
    ]);
  });

  it('Alembic, beside the app', () => {
    expect(commandsOf(['api/alembic.ini'], ['alembic'], 'api')).toEqual([
      'python -m alembic upgrade head',
    ]);
  });

  it('Flask-Script, by its own command', () => {
    const files = {
      'migrations/env.py': 'x',
      'manage.py': 'manager.add_command("db", MigrateCommand)',
    };
    const dependencies = ['flask-migrate', 'flask-script'];
    const found = detectReleaseCommands(memoryTree(files), { root: '', entry, dependencies });
    expect(found.commands).toEqual(['python manage.py db upgrade']);
  });

  it('nobody: then tables are made as the project makes them', () => {
    const made = (files: Record<string, string>, dependencies = ['flask-sqlalchemy']) =>
      detectReleaseCommands(memoryTree(files), { root: '', entry, dependencies });
    const script = { 'create_db.py': 'from shop import db\ndb.create_all()\n' };
    expect(made(script)).toMatchObject({
      commands: ["python -m tandem_runtime.create_tables 'shop:create_app()'"],
      findings: [{ evidence: 'create_db.py:2' }],
    });
    expect(made(script, ['sqlalchemy']).commands).toEqual([]);
    expect(made({ 'tests/conftest.py': 'db.create_all()\n' }).commands).toEqual([]);
    expect(made({ 'shop.py': '# db.create_all()\n' }).commands).toEqual([]);
    const migrated = { ...script, 'migrations/env.py': 'x' };
    expect(made(migrated, ['flask-sqlalchemy', 'flask-migrate']).commands).toEqual([
      'python -m flask db upgrade',
    ]);
  });

  it('nobody, where the tool or its files are missing', () => {
    expect(commandsOf(['alembic.ini'], ['flask'])).toEqual([]);
    expect(commandsOf(['app.py'], ['alembic', 'flask-migrate', 'aerich'])).toEqual([]);
    expect(commandsOf(['other/alembic.ini'], ['alembic'], 'api')).toEqual([]);
  });
});
