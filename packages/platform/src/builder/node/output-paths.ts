// Where a front-end build writes, read from its scripts and from the configuration of the usual
// tools. Pure; what it cannot tell is left out.
import { dirname, normalize } from 'node:path/posix';
import { hasFile, under, walkFiles, type SourceTree } from '../detect/source-tree.ts';
import type { PackageJson } from './package-json.ts';
import { programOfManifest } from './production-program.ts';
import { commandsOf } from './script-commands.ts';

const CONFIGURATION =
  /^((vite|webpack|rollup|rspack|esbuild|gulpfile|build|bundle|tailwind|postcss|svelte|vue|mix)[\w.-]*)\.(c|m)?[jt]s$/;
/** `outDir: path.resolve(__dirname, '..', 'static')`, `dest("x")`, `outfile: 'x'`. */
const CONFIGURED =
  /\b(?:outDir|outdir|outfile|outputPath|outputDir|output\.path|path|dest|setPublicPath|setOutputPath)\s*[:(=]\s*(?:(?:path\.|pathModule\.)?(?:resolve|join)\(([^)]*)\)|(?:__dirname|import\.meta\.dirname)\s*\+\s*["'`]([^"'`]+)["'`]|["'`]([^"'`$]+)["'`])/g;
const OPTION =
  /(?:^|\s)(?:--outDir|--outdir|--outfile|--out-dir|--output|--output-path|--dist-dir|--dest|-o|-d)[\s=]+["']?([^\s"';&|]+)/g;
/** `sass in.scss:out.css`, `sass in.scss out.css`. */
const SASS_PAIR =
  /\b(?:node-)?sass\s+(?:-\S+\s+)*["']?([^\s"':&|]+)["']?(?::|\s+)["']?([\w./@-]+)/g;
/** Tools whose place is known when nothing says another. */
const DEFAULTS: readonly (readonly [RegExp, string])[] = [
  [/\bvite\s+build\b/, 'dist'],
  [/\b(webpack|parcel|rspack|vue-cli-service)\b/, 'dist'],
  [/\b(react-scripts|craco)\s+build\b/, 'build'],
  [/\btailwind\s+build\b/, 'dist'],
];

/** A place is set, and written in a way that was not read. */
const SETS_PLACE = /\boutDir\s*:|\boutput\s*:\s*\{[^}]*\bpath\s*[:,]/;

/** Paths of the source, of directories and files. */
export function outputPaths(
  tree: SourceTree,
  manifest: PackageJson,
  scripts: readonly string[],
): string[] {
  const { directory } = manifest;
  const { commands, files } = toolsOf(tree, manifest, scripts);
  const found = [
    ...commands.flatMap((command) => inCommand(command).map((path) => [directory, path] as const)),
    ...files.flatMap((file) =>
      inConfiguration(tree.read(file) ?? '').map((path) => [directoryOf(file), path] as const),
    ),
  ];
  const paths = found.flatMap(([base, path]) => inside(base, path) ?? []);
  if (paths.length > 0) return [...new Set(paths)];
  if (files.some((file) => SETS_PLACE.test(tree.read(file) ?? ''))) return [];
  const standard = DEFAULTS.find(([pattern]) => commands.some((command) => pattern.test(command)));
  return standard === undefined ? [] : [under(directory, standard[1])];
}

/** What the scripts run in the end, and the files that configure it. */
function toolsOf(tree: SourceTree, manifest: PackageJson, scripts: readonly string[]) {
  const commands = commandsOf(manifest, scripts);
  return { commands, files: configurationFiles(tree, manifest.directory, commands) };
}

/** Every directory that it writes into, also one that holds sources. */
export function writtenDirectories(
  tree: SourceTree,
  manifest: PackageJson,
  scripts: readonly string[],
): string[] {
  const { files } = toolsOf(tree, manifest, scripts);
  const found = files.flatMap((file) =>
    inConfiguration(tree.read(file) ?? '').map((path) => normalize(under(directoryOf(file), path))),
  );
  return [...new Set(found.map((path) => path.replace(/^\.$|\/$/, '')))];
}

/** All that says where it writes. */
export function toolTexts(
  tree: SourceTree,
  manifest: PackageJson,
  scripts: readonly string[],
): string[] {
  const commands = commandsOf(manifest, scripts);
  const files = configurationFiles(tree, manifest.directory, commands);
  const program = programOfManifest(tree, manifest)?.texts ?? [];
  return [...commands, ...files.map((file) => tree.read(file) ?? ''), ...program];
}

function inCommand(command: string): string[] {
  return [
    ...[...command.matchAll(OPTION)].flatMap(([, path]) => path ?? []),
    ...[...command.matchAll(SASS_PAIR)].flatMap(([, , path]) => path ?? []),
  ];
}

/** By their name, or because a script runs them. */
function configurationFiles(
  tree: SourceTree,
  directory: string,
  commands: readonly string[],
): string[] {
  const named = tree
    .list(directory)
    .filter(({ name, kind }) => kind === 'file' && CONFIGURATION.test(name))
    .map(({ name }) => under(directory, name));
  const run = commands.flatMap((command) =>
    [...command.matchAll(/(?:node|--config|-c)[\s=]+([\w./-]+\.[cm]?[jt]s)\b/g)].flatMap(
      ([, path]) => inside(directory, path ?? '') ?? [],
    ),
  );
  return [...new Set([...named, ...run.filter((path) => hasFile(tree, path))])];
}

function inConfiguration(text: string): string[] {
  const code = text.replace(/^\s*(\/\/|\*).*$/gm, '');
  return [...code.matchAll(CONFIGURED)].flatMap(([, parts, added, plain]) => {
    if (parts === undefined) return added?.replace(/^\//, '') ?? plain ?? [];
    const names = [...parts.matchAll(/["'`]([^"'`$]*)["'`]/g)].map(([, name = '']) => name);
    // A variable among them: not ours to know.
    const known = parts.replace(/["'`][^"'`$]*["'`]/g, '').replace(/[\s,]/g, '');
    const isKnown = /^(__dirname|import\.meta\.dirname|process\.cwd\(\)?)?$/.test(known);
    return isKnown && (names.length > 0 || known !== '') ? names.join('/') : [];
  });
}

/** Undefined when it leaves the source, or is no place of its own. */
function inside(base: string, path: string): string | undefined {
  if (path.startsWith('/') || path.includes('://')) return undefined;
  const full = normalize(under(base, path)).replace(/\/$/, '');
  return full === '.' || full.startsWith('..') || full === base ? undefined : full;
}

/** Its files came with the source: nobody ignored them, so nobody needs to build them. */
export function isPresent(tree: SourceTree, path: string): boolean {
  if (hasFile(tree, path)) return true;
  return walkFiles(tree, path, 3).some((file) => !/(^|\/)\.[^/]*$/.test(file));
}

function directoryOf(path: string): string {
  const directory = dirname(path);
  return directory === '.' ? '' : directory;
}
