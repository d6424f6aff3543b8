// What a start script does before it serves, as release commands: migrations of other tools than
// Django's, which are safe to repeat. Everything else may not be, so it is only said.
import type { Finding } from '../../../domain/release.ts';
import { finding } from '../evidence.ts';
import { hasFile, under, type SourceTree } from '../source-tree.ts';
import type { Containers } from './containers.ts';
import { isKnownEndless, option } from './background-commands.ts';
import type { StartStep } from './start-steps.ts';

export interface ContainerRelease {
  readonly commands: readonly string[];
  readonly findings: readonly Finding[];
}

export interface ContainerReleaseRequest {
  readonly root: string;
  readonly isDjango: boolean;
  readonly dependencies: readonly string[];
  readonly isFlask: boolean;
  /** What is run already. */
  readonly known: readonly string[];
}

/** The platform's own, or without effect on a release. */
const TAKEN_CARE_OF = new Set([
  ...['migrate', 'collectstatic', 'compilemessages', 'compress', 'check', 'makemigrations'],
  ...['runserver', 'runserver_plus', 'wait_for_db', 'wait_for_database', 'shell', 'test'],
]);

export function containerRelease(
  tree: SourceTree,
  containers: Containers,
  request: ContainerReleaseRequest,
): ContainerRelease {
  const steps = [...containers.services.flatMap((one) => one.steps), ...containers.imageSteps];
  const found = new Map<string, Finding>();
  const left = new Map<string, Finding>();
  for (const step of steps) {
    const command = commandOf(tree, step, request);
    if (command !== undefined && !isKnown(command, request.known)) {
      const why = 'the container does it before it serves';
      if (!found.has(command)) {
        found.set(command, finding('release', command, why, step.evidence, 'likely'));
      }
    }
    const other = unsure(step, request);
    if (other !== undefined && !left.has(other.value)) left.set(other.value, other);
  }
  return { commands: [...found.keys()], findings: [...found.values(), ...left.values()] };
}

function commandOf(
  tree: SourceTree,
  { words }: StartStep,
  { root, isDjango, isFlask, dependencies }: ContainerReleaseRequest,
): string | undefined {
  const [program, first, second] = words;
  const has = (name: string): boolean => dependencies.includes(name);
  if (program === 'python' && first === 'manage.py') {
    return isDjango && second === 'createcachetable'
      ? 'python manage.py createcachetable'
      : undefined;
  }
  if (isDjango) return undefined;
  if (program === 'alembic' && words.includes('upgrade') && /^heads?$/.test(words.at(-1) ?? '')) {
    const file = option(words, ['-c', '--config'])?.replace(/^\.\//, '') ?? 'alembic.ini';
    if (!has('alembic') || !hasFile(tree, under(root, file))) return undefined;
    const config = file === 'alembic.ini' ? '' : ` -c ${file}`;
    return `alembic${config} upgrade ${words.at(-1)}`;
  }
  const at = words.indexOf('db');
  if (program === 'flask' && at > 0 && words[at + 1] === 'upgrade' && isFlask) {
    const folder = option(words, ['-d', '--directory']) ?? 'migrations';
    if (!has('flask-migrate') || !hasFile(tree, under(root, `${folder}/env.py`))) return undefined;
    const where = folder === 'migrations' ? '' : ` --directory ${folder}`;
    return `python -m flask db upgrade${where}`;
  }
  const isAerich = program === 'aerich' && first === 'upgrade' && has('aerich');
  return isAerich ? 'aerich upgrade' : undefined;
}

/** One of a kind is enough, whatever it is called with. */
function isKnown(command: string, known: readonly string[]): boolean {
  const kinds = [/\balembic\b/, /\bdb upgrade\b/, /\bcreatecachetable\b/, /\baerich\b/];
  return known.some((one) => kinds.some((kind) => kind.test(one) && kind.test(command)));
}

/** Management commands that a start script runs besides: perhaps not twice. */
function unsure(
  { words, evidence, conditional }: StartStep,
  { isDjango, known }: ContainerReleaseRequest,
): Finding | undefined {
  const [program, file, name = '', ...rest] = words;
  const isInScript = /\.sh:|\bentrypoint|\bstart/.test(evidence);
  if (!isDjango || program !== 'python' || file !== 'manage.py' || !isInScript) return undefined;
  if (conditional || TAKEN_CARE_OF.has(name) || name === 'createcachetable') return undefined;
  if (!/^\w+$/.test(name) || isKnownEndless(name) || known.some((one) => one.includes(name)))
    return undefined;
  const command = ['python manage.py', name, ...rest].join(' ');
  const wish = `release = [${JSON.stringify(command)}]`;
  const why = `not known to be safe to repeat; if it is: ${wish} in tandem.toml`;
  return finding('release', `without "${command}"`, why, evidence, 'likely');
}
