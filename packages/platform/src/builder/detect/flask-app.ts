// FLASK_APP, by which the `flask` command finds the application: the project's own commands, those of
// its extensions and `flask db upgrade` all need it. A project that says it keeps what it says.
import { targetOf, type EntryPoint } from './entry-point.ts';
import { under, type SourceTree } from './source-tree.ts';
import type { GivenVariable } from './variables.ts';

const NAME = 'FLASK_APP';
const FILES = ['.flaskenv', '.env'];
/** What `flask` looks for by itself: in app.py and wsgi.py. */
const FOUND_ANYWAY = /^(app|wsgi):(app|application|create_app\(\)|make_app\(\))$/;

export function flaskApp(
  tree: SourceTree,
  root: string,
  entry: EntryPoint,
  dependencies: readonly string[],
): GivenVariable[] {
  if (!dependencies.includes('flask') && entry.framework !== 'flask') return [];
  for (const file of FILES.map((name) => under(root, name))) {
    const line = new RegExp(`^\\s*(?:export\\s+)?${NAME}\\s*=\\s*(.+)$`, 'm');
    if (line.test(tree.read(file) ?? '')) return [];
  }
  const value = targetOf(entry);
  if (entry.pathEntry === root && FOUND_ANYWAY.test(value)) return [];
  return [{ name: NAME, value, why: 'the command flask finds the app by it' }];
}
