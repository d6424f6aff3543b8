// What a project without Django runs before a release serves: its migrations, by the tool that its
// files show. (Django's are the platform's own affair, see the migrate phase.)
import type { Finding } from '../../domain/release.ts';
import { targetOf, type EntryPoint } from './entry-point.ts';
import { finding } from './evidence.ts';
import { firstLine, hasFile, under, walkFiles, type SourceTree } from './source-tree.ts';

const CREATE_DEPTH_MAX = 3;

export interface ReleaseCommandsRequest {
  readonly root: string;
  readonly entry: EntryPoint | undefined;
  readonly dependencies: readonly string[];
}

export interface ReleaseCommands {
  readonly commands: readonly string[];
  readonly findings: readonly Finding[];
}

export function detectReleaseCommands(
  tree: SourceTree,
  { root, entry, dependencies }: ReleaseCommandsRequest,
): ReleaseCommands {
  const has = (name: string): boolean => dependencies.includes(name);
  const flask = under(root, 'migrations/env.py');
  if (has('flask-migrate') && entry !== undefined && hasFile(tree, flask)) {
    const manage = under(root, 'manage.py');
    if (has('flask-script') && /\bMigrateCommand\b/.test(tree.read(manage) ?? '')) {
      return one('python manage.py db upgrade', 'the migrations of Flask-Script', manage);
    }
    return one('python -m flask db upgrade', 'Flask-Migrate and its migrations', flask);
  }
  const alembic = under(root, 'alembic.ini');
  if ((has('alembic') || has('flask-alembic')) && hasFile(tree, alembic)) {
    // As a module: its own script does not look into the directory it runs in.
    return one('python -m alembic upgrade head', 'migrations of Alembic', alembic);
  }
  const aerich = under(root, 'migrations/models');
  if (has('aerich') && tree.list(aerich).length > 0) {
    return one('aerich upgrade', 'migrations of aerich', aerich);
  }
  const creates = has('flask-sqlalchemy') && entry ? createAll(tree, root) : undefined;
  if (entry !== undefined && creates !== undefined) {
    const command = `python -m tandem_runtime.create_tables '${targetOf(entry)}'`;
    return one(command, 'create_all() makes its tables, there are no migrations', creates);
  }
  return { commands: [], findings: [] };
}

/** Where a script or a command of the project makes the tables. */
function createAll(tree: SourceTree, root: string): string | undefined {
  const files = walkFiles(tree, root, CREATE_DEPTH_MAX).filter(
    (path) => path.endsWith('.py') && !/(^|\/)(tests?|conftest|test_\w+)(\.py|\/)/.test(path),
  );
  return firstLine(tree, files, /^[^#]*\.create_all\(/);
}

function one(command: string, why: string, evidence: string): ReleaseCommands {
  return { commands: [command], findings: [finding('release', command, why, evidence)] };
}
