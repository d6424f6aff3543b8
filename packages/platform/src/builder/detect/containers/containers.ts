// What a project's compose files and Dockerfile say of it, for the rules beside this file. Read once
// for a detection; production goes before plain files, those before development.
import type { Finding } from '../../../domain/release.ts';
import { classify } from '../dependencies/production-names.ts';
import { finding } from '../evidence.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { readComposeFile, type ComposeFile, type ComposeService } from './compose-file.ts';
import { appImage, readImage, type ContainerImage } from './container-image.ts';
import { startSteps, type StartStep } from './start-steps.ts';

/** A service that is built from the project. */
export interface AppService extends Pick<ComposeService, 'name' | 'restarts' | 'hasPorts'> {
  readonly service: ComposeService;
  readonly steps: readonly StartStep[];
  readonly isForDevelopment: boolean;
}

export interface Containers {
  /** Those of the best kind of file there is. */
  readonly services: readonly AppService[];
  /** Names of all services: hosts that do not exist here. */
  readonly hosts: ReadonlySet<string>;
  readonly image?: ContainerImage;
  /** What the image itself does when it starts. */
  readonly imageSteps: readonly StartStep[];
  /** Of files that cannot be read. */
  readonly findings: readonly Finding[];
}

const FOLDERS = ['', 'docker', 'deploy', 'deployment', 'compose', 'docker/compose'];
const COMPOSE = /^(?:docker-)?compose((?:[.\-_][\w.-]+)?)\.ya?ml$/i;
const STANDALONE = /^(production|prod|live|staging|local|dev|development|stack)\.ya?ml$/i;
/** For a part of the work that is no running of the app. */
const ASIDE = /(^|[._-])(tests?|testing|ci|docs?|lint|e2e|cypress|bench\w*|tools?)($|[._-])/i;
const FILES_MAX = 20;
/** Servers that reload and watchers, for the developer at the keyboard. */
export const FOR_DEVELOPMENT =
  /\b(watchmedo|watchfiles|hupper|nodemon|runserver|runserver_plus|flask (--debug )?run|fastapi dev)\b|--(auto)?reload\b/;
const CLASSES = ['production', 'base', 'other', 'development'] as const;

interface ClassedFile extends ComposeFile {
  readonly kind: (typeof CLASSES)[number];
}

export function readContainers(tree: SourceTree, root: string): Containers {
  const files = composeFiles(tree, root);
  const own = ownServices(tree, files, root);
  const wanted = own.flatMap(({ build }) => (build ? [build] : []));
  const chosen = bestClass(files, own);
  const directories = [...new Set([root, ''])];
  const image = appImage(tree, root, wanted);
  const services = chosen.flatMap(({ kind, services: all }) =>
    all
      .filter((one) => isOwn(own, one))
      .map((one) => appService(tree, one, kind, { own, directories, image })),
  );
  const hosts = new Set(files.flatMap((file) => file.services.map(({ name }) => name)));
  return {
    services,
    hosts,
    ...(image ? { image } : {}),
    imageSteps: image ? startSteps(tree, { ...image, image, directories }) : [],
    findings: files.flatMap(({ path, problem }) =>
      problem === undefined
        ? []
        : [finding('containers', `${path} not read`, problem.what, problem.evidence)],
    ),
  };
}

function composeFiles(tree: SourceTree, root: string): ClassedFile[] {
  const folders = new Set([
    ...FOLDERS,
    ...FOLDERS.map((one) => (one === '' ? root : under(root, one))),
  ]);
  const files = [...folders].flatMap((folder) =>
    tree.list(folder).flatMap(({ name, kind: entry }) => {
      const kind = entry === 'file' ? kindOf(name) : undefined;
      const file = kind === undefined ? undefined : readComposeFile(tree, under(folder, name));
      return file === undefined || kind === undefined ? [] : [{ ...file, kind }];
    }),
  );
  return files
    .toSorted((one, other) => CLASSES.indexOf(one.kind) - CLASSES.indexOf(other.kind))
    .slice(0, FILES_MAX);
}

function kindOf(name: string): ClassedFile['kind'] | undefined {
  const word = COMPOSE.exec(name)?.[1] ?? STANDALONE.exec(name)?.[1];
  if (word === undefined || ASIDE.test(word)) return undefined;
  // Merged into the plain file by default: for the developer's machine.
  return /override/i.test(word) ? 'development' : classify(word);
}

/** Built from the directory of the app, by a Dockerfile that runs Python where it can be read. */
function ownServices(
  tree: SourceTree,
  files: readonly ClassedFile[],
  root: string,
): ComposeService[] {
  const all = files.flatMap(({ services }) => services);
  const built = all.filter(({ build }) => {
    if (build === undefined) return false;
    const { context, dockerfile } = build;
    if (context !== '' && context !== root && !root.startsWith(`${context}/`)) return false;
    return (
      tree.read(dockerfile) === undefined || readImage(tree, dockerfile, context) !== undefined
    );
  });
  const images = new Set(built.flatMap(({ image }) => image ?? []));
  const names = new Set(built.map(({ name }) => name));
  const others = all.filter(
    ({ name, build, image }) =>
      build === undefined && (image === undefined ? names.has(name) : images.has(image)),
  );
  return [...built, ...others];
}

function isOwn(own: readonly ComposeService[], one: ComposeService): boolean {
  return own.includes(one);
}

/** Files of one kind; those that only override something need the plain ones too. */
function bestClass(files: readonly ClassedFile[], own: readonly ComposeService[]): ClassedFile[] {
  const chosen: ClassedFile[] = [];
  for (const kind of CLASSES) {
    const ofKind = files.filter((file) => file.kind === kind);
    chosen.push(...ofKind);
    const services = ofKind.flatMap((file) => file.services).filter((one) => isOwn(own, one));
    if (services.some(({ build }) => build !== undefined)) break;
  }
  return chosen;
}

interface ServiceContext {
  readonly own: readonly ComposeService[];
  readonly directories: readonly string[];
  readonly image: ContainerImage | undefined;
}

function appService(
  tree: SourceTree,
  service: ComposeService,
  kind: ClassedFile['kind'],
  { own, directories, image }: ServiceContext,
): AppService {
  const build =
    service.build ??
    own.find((one) => one.build && (one.image === service.image || one.name === service.name))
      ?.build;
  const ownImage = build ? readImage(tree, build.dockerfile, build.context) : undefined;
  const used = ownImage ?? image;
  const { name, restarts, hasPorts } = service;
  const steps = startSteps(tree, {
    entrypoint: service.entrypoint ?? used?.entrypoint,
    // A new entrypoint leaves the image's command out.
    command: service.command ?? (service.entrypoint ? undefined : used?.command),
    image: used,
    directories: [...new Set([build?.context ?? '', ...directories])],
  });
  const isForDevelopment =
    kind === 'development' || steps.some(({ words }) => FOR_DEVELOPMENT.test(words.join(' ')));
  return { name, service, steps, restarts, hasPorts, isForDevelopment };
}
