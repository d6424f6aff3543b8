// Background processes that compose files name: what works beside the web service there. Counts where
// neither a Procfile nor the source has one of that kind.
import type { Finding, ProcessType } from '../../../domain/release.ts';
import { finding } from '../evidence.ts';
import { moduleFile } from '../import-graph.ts';
import { logicalLines } from '../python-source.ts';
import { hasFile, under, walkFiles, type SourceTree } from '../source-tree.ts';
import {
  backgroundCommand,
  isKnownEndless,
  type BackgroundCommand,
  type BackgroundPlace,
} from './background-commands.ts';
import { FOR_DEVELOPMENT, type AppService, type Containers } from './containers.ts';
import { startSteps } from './start-steps.ts';

export interface ContainerProcessesRequest {
  readonly root: string;
  readonly dependencies: readonly string[];
  /** By the project itself: a command of one of these kinds is taken care of. */
  readonly named: Readonly<Record<string, ProcessType>>;
  /** By the source: they give way to commands that say more. */
  readonly guessed: Readonly<Record<string, ProcessType>>;
}

export interface ContainerProcesses {
  readonly processes: Readonly<Record<string, ProcessType>>;
  /** Names of guessed ones that these stand for. */
  readonly replaced: readonly string[];
  readonly findings: readonly Finding[];
}

interface Found extends BackgroundCommand {
  readonly service: AppService;
  readonly evidence: string;
}

const NAME = /^[a-z][a-z0-9-]{0,29}$/;
const TAKEN = new Set(['web', 'release']);
/** A program that is started as a file, and that waits for work. */
const WAITS =
  /^while (True|1|not )|\.(work|run_forever|run_polling|start_polling|infinity_polling|start_consuming|run_until_disconnected)\(/;

export function containerProcesses(
  tree: SourceTree,
  containers: Containers,
  request: ContainerProcessesRequest,
): ContainerProcesses {
  if (containers.services.length === 0) return { processes: {}, replaced: [], findings: [] };
  const place = placeOf(tree, request);
  const findings: Finding[] = [];
  const found: Found[] = [];
  for (const service of containers.services.filter((one) => !one.service.hasProfiles)) {
    const one = inService(tree, service, place, request.root);
    if (one === undefined) continue;
    if ('unusable' in one) findings.push(one.unusable);
    else found.push(one);
  }
  const named = kindsOf(tree, request.named, { place, root: request.root });
  const guessed = kindsOf(tree, request.guessed, { place, root: request.root });
  const better = found.filter(({ kind, namesQueues }) => namesQueues && !named.has(kind));
  const replacing = new Set(better.map(({ kind }) => kind));
  const used = found.filter(({ kind, namesQueues }) =>
    replacing.has(kind) ? namesQueues : !named.has(kind) && !guessed.has(kind),
  );
  const replaced = [...replacing].flatMap((kind) => guessed.get(kind) ?? []);
  const processes = namedApart(withoutRepeats(used), request, replaced);
  return {
    processes: Object.fromEntries(
      processes.map(([name, { process, command }]) => [name, { kind: process, command }]),
    ),
    replaced,
    findings: [
      ...processes.map(([name, { command, service, evidence }]) =>
        finding(
          'process',
          `${name}: ${command}`,
          `the service "${service.name}"`,
          evidence,
          'likely',
        ),
      ),
      ...findings,
    ],
  };
}

function inService(
  tree: SourceTree,
  service: AppService,
  place: BackgroundPlace,
  root: string,
): Found | { unusable: Finding } | undefined {
  for (const { words, evidence, conditional } of service.steps) {
    if (conditional || FOR_DEVELOPMENT.test(words.join(' '))) continue;
    const one = backgroundCommand(words, place) ?? program(tree, service, words, root);
    if (one === undefined) continue;
    if ('unusable' in one) {
      const value = `${service.name} left out`;
      return { unusable: finding('process', value, one.unusable, evidence, 'likely') };
    }
    if (mayEnd(tree, service, one, root)) continue;
    return { ...one, service, evidence };
  }
  return undefined;
}

/** A management command of the project's own may do its work and be done. */
function mayEnd(tree: SourceTree, { restarts }: AppService, one: BackgroundCommand, root: string) {
  const name = /^manage\.py (\w+)$/.exec(one.kind)?.[1];
  if (name === undefined || isKnownEndless(name) || restarts) return false;
  const files = commandFiles(tree, root).filter((path) => path.endsWith(`/${name}.py`));
  return !files.some((path) => waits(tree, path));
}

/** `python bot.py`: only where its file waits for work, and nobody connects to it. */
function program(
  tree: SourceTree,
  { name, hasPorts }: AppService,
  words: readonly string[],
  root: string,
): BackgroundCommand | undefined {
  const [python, first = '', second = ''] = words;
  if (python !== 'python' || hasPorts || words.length > (first === '-m' ? 3 : 2)) return undefined;
  const isModule = first === '-m';
  const parts = first.split('/').filter((part) => part !== '.' && part !== '');
  const suffixes = parts.map((_, index) => parts.slice(index).join('/'));
  const path = isModule
    ? moduleFile(tree, [root], second)
    : suffixes.map((one) => under(root, one)).find((one) => hasFile(tree, one));
  if (path === undefined || !path.endsWith('.py') || !waits(tree, path)) return undefined;
  const inside = root === '' ? path : path.slice(root.length + 1);
  const command = isModule ? `python -m ${second}` : `python ${inside}`;
  const own = name.toLowerCase().replaceAll('_', '-');
  return { kind: command, name: own, command, process: 'singleton', namesQueues: false };
}

function waits(tree: SourceTree, path: string): boolean {
  return logicalLines(tree.read(path) ?? '').some(({ code }) => WAITS.test(code));
}

function placeOf(
  tree: SourceTree,
  { root, dependencies }: Pick<ContainerProcessesRequest, 'root' | 'dependencies'>,
): BackgroundPlace {
  const roots = [root, under(root, 'src')];
  const commands = new Set(
    commandFiles(tree, root).map((path) => path.slice(path.lastIndexOf('/') + 1, -'.py'.length)),
  );
  return {
    hasModule: (module) =>
      moduleFile(tree, roots, module) !== undefined ||
      moduleFile(tree, roots, module.replace(/\.\w+$/, '')) !== undefined,
    hasFile: (path) => hasFile(tree, under(root, path)),
    hasDependency: (name) => dependencies.includes(name),
    hasCommand: (name) => commands.has(name),
  };
}

function commandFiles(tree: SourceTree, root: string): string[] {
  return walkFiles(tree, root, 6).filter((path) =>
    /\/management\/commands\/[a-z]\w*\.py$/.test(path),
  );
}

/** Kind -> name of the process. */
function kindsOf(
  tree: SourceTree,
  processes: Readonly<Record<string, ProcessType>>,
  { place, root }: { place: BackgroundPlace; root: string },
): Map<string, string> {
  // What the project starts itself needs no proof.
  const yes = () => true;
  const anywhere = { ...place, hasModule: yes, hasFile: yes, hasDependency: yes };
  const kinds = new Map<string, string>();
  const directories = [root];
  for (const [name, { command }] of Object.entries(processes)) {
    const steps = startSteps(tree, { command: { text: command, evidence: '' }, directories });
    // Behind whatever is put before it: `newrelic-admin run-program celery ...`.
    const starts = steps.flatMap(({ words }) => words.map((_, index) => words.slice(index)));
    for (const words of starts) {
      const one = backgroundCommand(words, anywhere);
      if (one === undefined || 'unusable' in one) continue;
      kinds.set(one.kind, name);
      if (words.includes('-B') || words.includes('--beat')) kinds.set('celery beat', name);
    }
  }
  return kinds;
}

/** One of a kind is enough, unless they work on different queues. */
function withoutRepeats(found: readonly Found[]): Found[] {
  const same = (one: Found) => (other: Found) =>
    one.namesQueues ? other.command === one.command : other.kind === one.kind;
  return found.filter((one, index) => found.findIndex(same(one)) === index);
}

/** Each by the name of what it does, the second of a kind by the name of its service. */
function namedApart(
  found: readonly Found[],
  { named, guessed }: ContainerProcessesRequest,
  replaced: readonly string[],
): [string, Found][] {
  const free = Object.keys(guessed).filter((name) => !replaced.includes(name));
  const taken = new Set([...TAKEN, ...Object.keys(named), ...free]);
  return found.flatMap((one): [string, Found][] => {
    const own = one.service.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    const names = [one.name, own, `${own}-2`].filter((name) => NAME.test(name) && !taken.has(name));
    const [name] = names;
    if (name === undefined) return [];
    taken.add(name);
    return [[name, one]];
  });
}
