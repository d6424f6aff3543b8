// Which application the containers of a project serve: what gunicorn, uvicorn and others are given
// there. For projects whose source leaves several or none.
import { under } from '../source-tree.ts';
import { option } from './background-commands.ts';
import type { AppService, Containers } from './containers.ts';
import type { StartStep } from './start-steps.ts';

export interface ServedApplication {
  /** As it may be called here; likeliest first. */
  readonly modules: readonly string[];
  /** Undefined: what the file of the module shows. */
  readonly attribute?: string;
  readonly factory: boolean;
  /** Undefined: what the file of the module shows. */
  readonly kind?: 'wsgi' | 'asgi';
  /** That its module may lie in, relative to the top of the source; likeliest first. */
  readonly directories: readonly string[];
  readonly command: string;
  readonly evidence: string;
}

type Target = Pick<ServedApplication, 'attribute' | 'factory' | 'kind'> & {
  /** With the directories inside of the container before it, where it is a file. */
  readonly module: string;
};

const SERVERS: Readonly<Record<string, 'wsgi' | 'asgi'>> = {
  gunicorn: 'wsgi',
  uwsgi: 'wsgi',
  'waitress-serve': 'wsgi',
  uvicorn: 'asgi',
  hypercorn: 'asgi',
  daphne: 'asgi',
  granian: 'asgi',
};
const FLASK_APP = 'FLASK_APP';
const TARGET = /^([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(.*\))?$/;
/** Options whose value may look like an application. */
const OTHER_VALUES = ['-c', '--config', '-k', '--worker-class', '--logger-class', '--log-config'];
const DIRECTORY = ['--chdir', '--app-dir', '--pythonpath'];

/** Those of services for development only where they name it whole. */
export function servedApplications(containers: Containers, root: string): ServedApplication[] {
  const { services, imageSteps, image } = containers;
  const inImage = new Map(image?.values.map(({ name, value }) => [name, value]));
  const flaskApp = ({ service }: AppService): string | undefined =>
    service.environment.findLast(({ name }) => name === FLASK_APP)?.value;
  const ofService = (one: AppService): ServedApplication[] =>
    one.steps.flatMap(
      (step) => servedBy(step, root, flaskApp(one) ?? inImage.get(FLASK_APP)) ?? [],
    );
  const certain = services.filter(({ isForDevelopment }) => !isForDevelopment);
  const others = services.filter(({ isForDevelopment }) => isForDevelopment);
  return [
    ...certain.flatMap(ofService),
    ...imageSteps.flatMap((step) => servedBy(step, root, inImage.get(FLASK_APP)) ?? []),
    ...others.flatMap(ofService).filter(({ attribute }) => attribute !== undefined),
  ];
}

function servedBy(
  step: StartStep,
  root: string,
  flaskApp: string | undefined,
): ServedApplication | undefined {
  const { words, evidence } = step;
  const target = targetOf(words, flaskApp);
  if (target === undefined) return undefined;
  const below = option(words, DIRECTORY)
    ?.split('/')
    .filter((part) => part !== '' && part !== '.');
  const suffixes = (below ?? []).map((_, index) => (below ?? []).slice(index).join('/'));
  const directories = [
    ...suffixes.flatMap((suffix) => [under(root, suffix), suffix]),
    root,
    under(root, 'src'),
  ];
  const { module, ...rest } = target;
  const parts = module.split('.');
  const modules = parts.map((_, index) => parts.slice(index).join('.'));
  const command = words.join(' ');
  return { ...rest, modules, directories: [...new Set(directories)], command, evidence };
}

function targetOf(words: readonly string[], flaskApp: string | undefined): Target | undefined {
  const [program = '', verb = ''] = words;
  const kind = SERVERS[program];
  if (program === 'uwsgi') return uwsgi(words);
  if (kind !== undefined) return ofServer(words, kind);
  if (program === 'flask' && words.includes('run')) {
    return ofFile(option(words, ['-A', '--app']) ?? flaskApp, 'wsgi');
  }
  if (program === 'fastapi' && (verb === 'run' || verb === 'dev')) {
    return ofFile(
      words.slice(2).find((word) => word.endsWith('.py')),
      'asgi',
    );
  }
  if (program === 'python' && words.length === 2) return ofFile(verb, undefined);
  return undefined;
}

function ofServer(words: readonly string[], kind: 'wsgi' | 'asgi'): Target | undefined {
  const isAsgi = words.some((word) => /Uvicorn\w*Worker$|asgi\.ASGI/.test(word));
  const isFactory = words.includes('--factory') || words.includes('--call');
  // Granian serves all kinds; what the file shows decides.
  const named = words[0] === 'granian' ? {} : { kind: isAsgi ? ('asgi' as const) : kind };
  for (const [index, word] of words.entries()) {
    if (OTHER_VALUES.includes(words[index - 1] ?? '')) continue;
    const [, module, attribute, call] = TARGET.exec(word) ?? [];
    if (module === undefined || attribute === undefined || module === 'unix') continue;
    return { module, attribute, factory: call !== undefined || isFactory, ...named };
  }
  // `gunicorn shop.wsgi`: the module alone, which comes last or first.
  const bare = [words.at(-1), words[1]].find((word) => /^[A-Za-z_]\w*(\.\w+)*$/.test(word ?? ''));
  const isWhole = words[0] === 'gunicorn' && bare !== undefined;
  return isWhole ? { module: bare, attribute: 'application', factory: false, ...named } : undefined;
}

function uwsgi(words: readonly string[]): Target | undefined {
  const target = option(words, ['-w', '--module', '--wsgi']);
  const file = option(words, ['--wsgi-file', '--file']);
  const callable = option(words, ['--callable']) ?? 'application';
  if (target === undefined) {
    const found = ofFile(file, 'wsgi');
    return found === undefined ? undefined : { ...found, attribute: callable };
  }
  const [module = '', attribute = callable] = target.split(':');
  if (!/^[\w.]+$/.test(module) || !/^\w+$/.test(attribute)) return undefined;
  return { module, attribute, factory: false, kind: 'wsgi' };
}

/** `app.py`, `/code/app.py`, `shop.web`, `shop:create_app()`, `shop:app`. */
function ofFile(text: string | undefined, kind: 'wsgi' | 'asgi' | undefined): Target | undefined {
  const [, name, attribute, call] =
    /^\.?\/?([\w./-]+?)(?:\.py)?(?::(\w+)(\(.*\))?)?$/.exec(text ?? '') ?? [];
  if (name === undefined || name.startsWith('-')) return undefined;
  const module = name.replace(/\/__init__$/, '').replaceAll('/', '.');
  if (!/^\w+(\.\w+)*$/.test(module) || module === 'manage') return undefined;
  return {
    module,
    ...(attribute === undefined ? {} : { attribute }),
    factory: call !== undefined,
    ...(kind === undefined ? {} : { kind }),
  };
}
