// What a container does when it starts, as simple commands: wrappers taken off (`uv run`, `tini --`,
// `sh -c`, waiting for the database), scripts of the project followed one level.
import { hasFile, under, type SourceTree } from '../source-tree.ts';
import { shellText, type ContainerCommand } from './compose-file.ts';
import { sourcesOf, type ContainerImage } from './container-image.ts';
import { interpolate } from './interpolation.ts';
import { shellSteps } from './shell-steps.ts';

export interface StartStep {
  /** First a program without its directory, or `python`. */
  readonly words: readonly string[];
  /** `NAME=VALUE` before it. */
  readonly assignments: readonly string[];
  /** `file:line` */
  readonly evidence: string;
  /** It may not run. */
  readonly conditional: boolean;
}

export interface StartRequest {
  readonly entrypoint?: ContainerCommand | undefined;
  readonly command?: ContainerCommand | undefined;
  readonly image?: ContainerImage | undefined;
  /** Directories that paths of scripts may be meant from. */
  readonly directories: readonly string[];
}

const STEPS_MAX = 200;
/** Of the script: what comes after its own name. */
const ARGUMENTS = '$@';
/** Words of a wrapper and of its options; the command comes after. */
const RUNNERS = new Set(['uv', 'poetry', 'pipenv', 'pdm', 'hatch', 'rye', 'pixi']);
const RUNNER_OPTIONS = new Set(['--with', '--group', '--extra', '--package', '--python', '-p']);
const PLAIN_WRAPPERS = new Set([
  'exec',
  'time',
  'nohup',
  'command',
  'sudo',
  'ddtrace-run',
  'stdbuf',
]);
const INITS = new Set(['tini', 'dumb-init', 'catatonit']);
const SHELLS = new Set(['sh', 'bash', 'ash', 'dash']);
/** Modules whose command has the module's name. */
const COMMANDS = new Set([
  ...['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'granian', 'celery', 'flask', 'alembic'],
  ...['dramatiq', 'arq', 'taskiq', 'rq', 'fastapi', 'waitress'],
]);

export function startSteps(tree: SourceTree, request: StartRequest): StartStep[] {
  const { entrypoint, command } = request;
  const text = [entrypoint?.text, command?.text].filter((one) => one !== undefined).join(' ');
  const evidence = (command ?? entrypoint)?.evidence ?? '';
  return new Follower(tree, request).follow(text, () => evidence, false).slice(0, STEPS_MAX);
}

class Follower {
  readonly #tree: SourceTree;
  readonly #request: StartRequest;
  #stepsLeft = STEPS_MAX;

  constructor(tree: SourceTree, request: StartRequest) {
    this.#tree = tree;
    this.#request = request;
  }

  follow(text: string, evidenceOf: (line: number) => string, inScript: boolean): StartStep[] {
    const values = new Map<string, string>();
    return shellSteps(text).flatMap((step) => {
      this.#stepsLeft -= 1;
      if (this.#stepsLeft < 0) return [];
      const evidence = evidenceOf(step.line);
      const given = step.words.map((word) => interpolate(word, values).text);
      const { words, assignments } = unwrapped(given);
      if (!step.conditional) setValues(values, words, assignments);
      const whole = words.flatMap((word) => (word === '$@' || word === '$*' ? ARGUMENTS : word));
      const { conditional } = step;
      return this.#step({ words: whole, assignments, evidence, conditional }, inScript);
    });
  }

  #step(step: StartStep, inScript: boolean): StartStep[] {
    const { words, evidence, conditional } = step;
    const [first = '', ...rest] = words;
    if (SHELLS.has(first.slice(first.lastIndexOf('/') + 1))) {
      const at = rest.findIndex((word) => /^-\w*c$/.test(word));
      const inner = at < 0 ? undefined : rest[at + 1];
      const whole = inner ?? shellText(rest.filter((word) => !word.startsWith('-')));
      const after = this.follow(whole, () => evidence, inScript);
      return after.map((one) => ({ ...one, conditional: one.conditional || conditional }));
    }
    const script = inScript ? undefined : this.#script(first);
    if (script === undefined) return words.length === 0 ? [] : [{ ...step, words: named(words) }];
    const inside = this.follow(script.text, (line) => `${script.path}:${line}`, true);
    return inside.flatMap((one) =>
      one.words[0] === ARGUMENTS
        ? this.follow(shellText(rest), () => evidence, false)
        : [{ ...one, conditional: one.conditional || conditional }],
    );
  }

  #script(word: string): { path: string; text: string } | undefined {
    if (!word.includes('/') && !word.endsWith('.sh')) return undefined;
    const { image, directories } = this.#request;
    const parts = word.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) return undefined;
    const suffixes = parts.map((_, index) => parts.slice(index).join('/'));
    const places = directories.flatMap((one) => suffixes.map((suffix) => under(one, suffix)));
    const path = [...(image ? sourcesOf(image, word) : []), ...places].find((one) =>
      hasFile(this.#tree, one),
    );
    const text = path === undefined ? undefined : this.#tree.read(path);
    if (path === undefined || text === undefined) return undefined;
    const isShell =
      /^#!.*\b(ba|da|a)?sh\b/.test(text) || (path.endsWith('.sh') && !/^#!/.test(text));
    return isShell ? { path, text } : undefined;
  }
}

/** `export A=b`, and `A=b` alone. */
function setValues(
  values: Map<string, string>,
  words: readonly string[],
  assignments: readonly string[],
): void {
  const exported = words[0] === 'export' ? words.slice(1) : [];
  for (const one of [...exported, ...(words.length === 0 ? assignments : [])]) {
    const [name = '', value] = one.split(/=(.*)/s);
    if (value !== undefined) values.set(name, value);
  }
}

interface Unwrapped {
  readonly words: readonly string[];
  readonly assignments: readonly string[];
}

function unwrapped(words: readonly string[]): Unwrapped {
  const assignments: string[] = [];
  let rest = [...words];
  for (let before = -1; before !== rest.length;) {
    before = rest.length;
    while (/^[A-Za-z_]\w*=/.test(rest[0] ?? '')) assignments.push(rest.shift() ?? '');
    rest = withoutWrapper(rest);
  }
  return { words: rest, assignments };
}

function withoutWrapper(words: string[]): string[] {
  const [path = '', ...rest] = words;
  if (path === '--') return rest;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (PLAIN_WRAPPERS.has(name)) return rest;
  if (name === 'env' || name === 'nice') return afterOptions(rest, new Set(['-n', '-u']));
  if (name === 'gosu' || name === 'su-exec') return rest.slice(1);
  if (INITS.has(name)) return afterOptions(rest, new Set(['-p', '-r']));
  if (RUNNERS.has(name)) return rest[0] === 'run' ? afterRunner(rest.slice(1)) : words;
  if (name === 'dockerize') return afterOptions(rest, new Set(['-wait', '-timeout', '-template']));
  // `wait-for-it db:5432 -- COMMAND`, `wait-for db:5432 COMMAND` ...
  if (/^wait[-_]?for/.test(name) && rest.includes('--')) return rest.slice(rest.indexOf('--') + 1);
  return words;
}

/** `uv run -m MODULE` is Python's. */
function afterRunner(words: string[]): string[] {
  const at = words.findIndex((word) => word === '-m' || word === '--module');
  const isOwn = at >= 0 && words.slice(0, at).every((word) => word.startsWith('-'));
  return isOwn ? ['python', '-m', ...words.slice(at + 1)] : afterOptions(words, RUNNER_OPTIONS);
}

function afterOptions(words: string[], withValue: ReadonlySet<string>): string[] {
  let at = 0;
  while ((words[at] ?? '').startsWith('-')) {
    if (words[at] === '--') return words.slice(at + 1);
    at += withValue.has(words[at] ?? '') ? 2 : 1;
  }
  return words.slice(at);
}

/** `/venv/bin/celery` is celery, `python3 -u -m gunicorn` is gunicorn, `/code/manage.py` is manage.py. */
function named(words: readonly string[]): string[] {
  const [first = '', ...rest] = words;
  if (/(^|\/)manage\.py$/.test(first)) return ['python', 'manage.py', ...rest];
  if (first === 'django-admin') return ['python', 'manage.py', ...rest];
  const program = /(^|\/)bin\/[^/]+$/.test(first) ? first.slice(first.lastIndexOf('/') + 1) : first;
  if (!/^python[\d.]*$/.test(program)) return [program, ...rest];
  const after = rest.slice(rest.findIndex((word) => !/^-[uBOEIsS]+$/.test(word)));
  const [file = '', module = ''] = after;
  if (file === '-m' && module === 'manage') return ['python', 'manage.py', ...after.slice(2)];
  if (file === '-m' && COMMANDS.has(module)) return after.slice(1);
  if (/(^|\/)manage\.py$/.test(file)) return ['python', 'manage.py', ...after.slice(1)];
  return ['python', ...after];
}
