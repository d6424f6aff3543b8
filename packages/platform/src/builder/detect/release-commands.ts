// What a project without Django runs before a release serves: its migrations, by the tool that its
// files show. (Django's are the platform's own affair, see the migrate phase.)
import type { Finding } from '../../domain/release.ts';
import type { EntryPoint } from './entry-point.ts';
import { finding } from './evidence.ts';
import { hasFile, under, type SourceTree } from './source-tree.ts';

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
    return one('python -m flask db upgrade', 'Flask-Migrate and its migrations', flask);
  }
  const alembic = under(root, 'alembic.ini');
  if ((has('alembic') || has('flask-alembic')) && hasFile(tree, alembic)) {
    return one('alembic upgrade head', 'migrations of Alembic', alembic);
  }
  const aerich = under(root, 'migrations/models');
  if (has('aerich') && tree.list(aerich).length > 0) {
    return one('aerich upgrade', 'migrations of aerich', aerich);
  }
  return { commands: [], findings: [] };
}

function one(command: string, why: string, evidence: string): ReleaseCommands {
  return { commands: [command], findings: [finding('release', command, why, evidence)] };
}
