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
    expect(commandsOf(['api/alembic.ini'], ['alembic'], 'api')).toEqual(['alembic upgrade head']);
  });

  it('nobody, where the tool or its files are missing', () => {
    expect(commandsOf(['alembic.ini'], ['flask'])).toEqual([]);
    expect(commandsOf(['app.py'], ['alembic', 'flask-migrate', 'aerich'])).toEqual([]);
    expect(commandsOf(['other/alembic.ini'], ['alembic'], 'api')).toEqual([]);
  });
});
