// The image that a project builds for itself: which Dockerfile, and what it says of how the project
// runs. Those for production first; what belongs to something else beside the app is left out.
import { dirname } from 'node:path/posix';
import { classify } from '../dependencies/production-names.ts';
import { under, walkFiles, type SourceTree } from '../source-tree.ts';
import { shellText, type ContainerCommand, type ContainerValue } from './compose-file.ts';
import {
  ancestry,
  assignments,
  copiedFrom,
  parseDockerfile,
  runsPython,
  type Instruction,
  type Stage,
} from './dockerfile.ts';
import { interpolate } from './interpolation.ts';

export interface ContainerImage {
  readonly path: string;
  /** What its COPY reads from, relative to the top of the source. */
  readonly context: string;
  /** What the running image is made of, in order. */
  readonly instructions: readonly Instruction[];
  /** Those of the stages that it copies from, as far as they run Python. */
  readonly builders: readonly Instruction[];
  readonly entrypoint?: ContainerCommand;
  readonly command?: ContainerCommand;
  readonly values: readonly ContainerValue[];
  readonly isForDevelopment: boolean;
}

const NAME = /^(.*[.-])?(Dockerfile|Containerfile)([.-].*)?$/i;
const DEPTH_MAX = 4;
const FILES_MAX = 20;
/** Folders that hold what belongs to the app they lie in, and nothing else. */
const OWN_FOLDER =
  /^(\.?docker|dockerfiles?|containers?|deploy|deployment|compose|build|images?|ops|infra|prod|production|base|dev|development|local|staging|django|flask|fastapi|python|web|app|backend|api|server)$/i;
const OTHER_USE =
  /(^|[/._-])(tests?|testing|ci|docs?|examples?|demos?|bench\w*|mock\w*|tools?|devcontainer|frontend|client|nginx|caddy|traefik|proxy|postgres\w*|db|redis|mysql|node|cron|alpine|arm\w*|lambda|dockerignore|md)($|[/._-])/i;
const WORKER = /(^|[/._-])(worker|celery\w*|beat|scheduler|queue)($|[/._-])/i;

/** The image of the app at `root`; `wanted`: those that compose files build the app by, best first. */
export function appImage(
  tree: SourceTree,
  root: string,
  wanted: readonly { readonly context: string; readonly dockerfile: string }[],
): ContainerImage | undefined {
  for (const { context, dockerfile } of wanted) {
    const image = readImage(tree, dockerfile, context);
    if (image !== undefined) return image;
  }
  for (const path of dockerfiles(tree, root)) {
    const image = readImage(tree, path, contextOf(path, root));
    if (image !== undefined) return image;
  }
  return undefined;
}

/** Undefined when there is none, or it does not run Python. */
export function readImage(
  tree: SourceTree,
  path: string,
  context: string,
): ContainerImage | undefined {
  const stages = parseDockerfile(tree.read(path) ?? '');
  const stage = finalStage(stages);
  if (stage === undefined) return undefined;
  const instructions = ancestry(stages, stage).flatMap((one) => one.instructions);
  const builders = copiedFrom(stages, stage)
    .filter((one) => runsPython(stages, one))
    .flatMap((one) => one.instructions);
  const entrypoint = commandOf(instructions, 'ENTRYPOINT', path);
  const command = commandOf(instructions, 'CMD', path);
  return {
    path,
    context,
    instructions,
    builders,
    ...(entrypoint ? { entrypoint } : {}),
    ...(command ? { command } : {}),
    values: valuesOf(instructions, path),
    isForDevelopment: isForDevelopment(path) || isForDevelopment(stage.name ?? ''),
  };
}

/** The last that runs Python, one for development only when there is no other. */
function finalStage(stages: readonly Stage[]): Stage | undefined {
  const running = stages.filter((stage) => runsPython(stages, stage));
  return running.findLast(({ name }) => !isForDevelopment(name ?? '')) ?? running.at(-1);
}

function dockerfiles(tree: SourceTree, root: string): string[] {
  const files = walkFiles(tree, '', DEPTH_MAX).filter((path) => {
    const [name = '', ...folders] = path.split('/').reverse();
    return NAME.test(name) && !OTHER_USE.test(path) && belongsTo(folders.reverse().join('/'), root);
  });
  return files.toSorted((one, other) => place(one) - place(other)).slice(0, FILES_MAX);
}

function belongsTo(folder: string, root: string): boolean {
  const isAbove = folder === '' || folder === root || root.startsWith(`${folder}/`);
  if (isAbove) return true;
  const base = root !== '' && folder.startsWith(`${root}/`) ? root : '';
  const rest = base === '' ? folder : folder.slice(base.length + 1);
  return rest.split('/').every((one) => OWN_FOLDER.test(one));
}

function place(path: string): number {
  const order = ['production', 'base', 'other', 'development'];
  const depth = path.split('/').length / 10;
  return order.indexOf(classOf(path)) + depth + (WORKER.test(path) ? 10 : 0);
}

export function isForDevelopment(name: string): boolean {
  return classOf(name) === 'development';
}

/** Words that only say that it is about containers say nothing of what for. */
function classOf(name: string): ReturnType<typeof classify> {
  return classify(
    name.replaceAll(
      /docker-?files?|containerfile|docker|container|compose|deploy(ment)?|build(er)?/gi,
      '',
    ),
  );
}

/** `docker build -f docker/Dockerfile .` */
function contextOf(path: string, root: string): string {
  const folder = dirname(path) === '.' ? '' : dirname(path);
  return folder === root || root.startsWith(`${folder}/`) ? folder : root;
}

function commandOf(
  instructions: readonly Instruction[],
  name: string,
  path: string,
): ContainerCommand | undefined {
  const found = instructions.findLast((one) => one.name === name);
  if (found === undefined) return undefined;
  const words = jsonWords(found.text);
  const text = words === undefined ? `sh -c ${shellText([found.text])}` : shellText(words);
  return text === '' ? undefined : { text, evidence: `${path}:${found.line}` };
}

export function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string')
      ? words
      : undefined;
  } catch {
    return undefined;
  }
}

function valuesOf(instructions: readonly Instruction[], path: string): ContainerValue[] {
  const known = new Map<string, string>();
  return instructions.flatMap(({ name, text, line }) => {
    if (name !== 'ENV') return [];
    return assignments(text).map(([variable, value]) => {
      const { text: whole, isFixed } = interpolate(value, known);
      if (isFixed) known.set(variable, whole);
      return { name: variable, value: whole, isFixed, evidence: `${path}:${line}` };
    });
  });
}

/** Where a file of the image comes from: paths of the source, likeliest first. */
export function sourcesOf(image: ContainerImage, path: string): string[] {
  const { instructions, context } = image;
  const known = new Map(image.values.map(({ name, value }) => [name, value]));
  const absolute = (one: string, at: string): string =>
    one.startsWith('/') ? one : `${at}/${one}`.replaceAll(/\/(\.\/)*/g, '/');
  const copies: { from: string; to: string; isFolder: boolean }[] = [];
  let directory = '/';
  for (const { name, text: written } of instructions) {
    const { text } = interpolate(written, known);
    if (name === 'WORKDIR') directory = absolute(text, directory).replace(/\/$/, '') || '/';
    if ((name !== 'COPY' && name !== 'ADD') || /--from=/.test(text)) continue;
    const words = jsonWords(text) ?? text.replaceAll(/--\S+\s+/g, '').split(/\s+/);
    const to = absolute(words.at(-1) ?? '', directory);
    for (const from of words.slice(0, -1)) {
      const isFolder = words.length > 2 || to.endsWith('/') || /(^|\/)\.$/.test(to);
      copies.push({ from, to: to.replace(/\/\.?$/, ''), isFolder });
    }
  }
  const wanted = absolute(path.replace(/^\.\//, ''), directory);
  return copies.reverse().flatMap(({ from, to, isFolder }) => {
    const source = from.replace(/^\.?\/+|\/+$/g, '').replace(/^\.$/, '');
    const name = source.slice(source.lastIndexOf('/') + 1);
    if (!isFolder && wanted === to) return [under(context, source)];
    if (isFolder && name !== '' && wanted === `${to}/${name}`) return [under(context, source)];
    if (!wanted.startsWith(`${to}/`)) return [];
    const rest = wanted.slice(to.length + 1);
    return [under(context, source === '' ? rest : `${source}/${rest}`)];
  });
}
