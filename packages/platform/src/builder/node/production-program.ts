// How a front end without a build script is built: a task of gulp or Grunt, or a bundler with its
// configuration. Only asked when its output is known to be needed. Pure.
import { under, type SourceTree } from '../detect/source-tree.ts';
import { allDependencies, type PackageJson } from './package-json.ts';
import { taskGraph } from './task-graph.ts';

export interface Program {
  /** `gulp build` */
  readonly args: readonly [string, ...string[]];
  /** What configures it. */
  readonly file: string;
}

export interface ProgramConfiguration {
  readonly program: Program | undefined;
  /** Why there is none, when its tasks do more than build. */
  readonly refusal?: string;
  /** All that says where it writes. */
  readonly texts: readonly string[];
  readonly file: string;
}

interface Bundler {
  readonly file: RegExp;
  readonly packages: readonly string[];
  readonly args: (text: string) => [string, ...string[]];
}

const RUNNERS = [
  { name: 'gulp', file: /^gulpfile(\.babel)?\.([cm]?js|ts)$/i, packages: ['gulp'] },
  { name: 'grunt', file: /^gruntfile\.([cm]?js|coffee)$/i, packages: ['grunt', 'grunt-cli'] },
] as const;
const BUNDLERS: readonly Bundler[] = [
  {
    file: /^webpack\.config\.[cm]?[jt]s$/,
    packages: ['webpack', 'webpack-cli'],
    args: (text) => ['webpack', ...(/\bmode\s*:/.test(text) ? [] : ['--mode=production'])],
  },
  { file: /^vite\.config\.[cm]?[jt]s$/, packages: ['vite'], args: () => ['vite', 'build'] },
  { file: /^rollup\.config\.[cm]?[jt]s$/, packages: ['rollup'], args: () => ['rollup', '-c'] },
];
const TASKS = ['build:production', 'build:prod', 'production', 'prod', 'build', 'default'];
/** Tasks that do not end, or that are not for a machine without Python. */
const BEYOND =
  /\b(watch\w*|serve\w*|server|runserver|browserSync|liveReload|connect|collectstatic|migrate|deploy|publish)\b/i;

export function programOfManifest(
  tree: SourceTree,
  manifest: PackageJson,
): ProgramConfiguration | undefined {
  const dependencies = allDependencies(manifest);
  const files = tree.list(manifest.directory);
  for (const { name, file, packages } of RUNNERS) {
    if (packages.some((one) => dependencies[one] === undefined)) continue;
    const entry = files.find((one) => file.test(one.name));
    if (entry !== undefined) return runner(tree, name, under(manifest.directory, entry.name));
  }
  for (const { file, packages, args } of BUNDLERS) {
    if (packages.some((one) => dependencies[one] === undefined)) continue;
    const entry = files.find((one) => one.kind === 'file' && file.test(one.name));
    if (entry === undefined) continue;
    const path = under(manifest.directory, entry.name);
    const text = tree.read(path) ?? '';
    return { program: { args: args(text), file: path }, texts: [text], file: path };
  }
  return undefined;
}

/** Its file may be a directory of files, and may read others. */
function runner(tree: SourceTree, name: string, file: string): ProgramConfiguration {
  const inside = tree.list(file).filter((one) => one.kind === 'file');
  const graph = taskGraph(
    tree,
    inside.length > 0 ? inside.map((one) => under(file, one.name)) : [file],
  );
  const tasks = TASKS.filter((task) => graph.has(task));
  const task = tasks.find((one) => !BEYOND.test(graph.reachedBy(one)));
  const [first] = tasks;
  const beyond = first === undefined ? undefined : BEYOND.exec(graph.reachedBy(first))?.[0];
  return {
    program: task === undefined ? undefined : { args: [name, task], file },
    ...(beyond === undefined ? {} : { refusal: `its task "${first}" also runs ${beyond}` }),
    texts: graph.texts,
    file,
  };
}
