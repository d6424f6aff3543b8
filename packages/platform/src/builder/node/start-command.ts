// How a Node.js app is started: its start script without npm in between, so that signals reach the
// server itself. Pure.
import { hasFile, under, type SourceTree } from '../detect/source-tree.ts';
import { buildScripts } from './detect-node-build.ts';
import { lineOfKey, type PackageJson } from './package-json.ts';
import { siteOutput } from './site-generators.ts';

export interface StartCommand {
  readonly command: string;
  readonly why: string;
  readonly evidence: string;
}

const SCRIPTS = ['start:prod', 'start:production', 'start'];
/** Servers for developers: they watch, and build while they answer. */
const DEVELOPMENT =
  /(^|\s|\/)(nodemon|ts-node-dev|vite(?!\S)(?!\s+build)|webpack-dev-server|react-scripts start|next dev|nuxt dev|ng serve|astro(?!\S)(?!\s+build)|remix dev|parcel(?!\s+build)|vue-cli-service serve|gatsby (?:develop|start|serve)|docusaurus (?:start|serve)|hexo s(?:erver)?|vitepress|vuepress|live-server|browser-sync)\b|webpack\s+serve|\s--watch\b|\s--serve\b|tsx\s+watch/;
/** What only a shell, or npm itself, understands. */
const INTRICATE = /[;&|<>()`\\]|\bnpm_\w+/;
/** What npm itself starts. */
const SERVER_FILE = 'server.js';
const ENTRY_FILES = [SERVER_FILE, 'index.js', 'app.js', 'main.js', 'server.mjs', 'index.mjs'];

export function startCommand(
  tree: SourceTree,
  manifest: PackageJson,
  manager: string,
): StartCommand | undefined {
  const { scripts } = manifest;
  const name = SCRIPTS.find((one) => isForProduction(scripts[one]));
  if (name !== undefined) {
    const evidence = lineOfKey(manifest, name);
    const why = `script "${name}"`;
    return { command: plain(scripts, name) ?? `${manager} run ${name}`, why, evidence };
  }
  if (scripts['start'] !== undefined) return undefined;
  // What writes a site may have any index.js beside it.
  const writesSite = siteOutput(tree, manifest, buildScripts(manifest)) !== undefined;
  return entryFile(tree, manifest, writesSite ? [SERVER_FILE] : ENTRY_FILES);
}

export function isForProduction(script: string | undefined): script is string {
  return script !== undefined && !DEVELOPMENT.test(script);
}

/** Undefined when npm must run it: it has hooks of its own, or needs a shell. */
function plain(scripts: Readonly<Record<string, string>>, name: string): string | undefined {
  const before = scripts[`pre${name}`];
  // Building was done already.
  if (before !== undefined && !/\b(build|tsc|compile)\b/.test(before)) return undefined;
  if (scripts[`post${name}`] !== undefined) return undefined;
  const command = (scripts[name] ?? '').replace(/^cross-env\s+/, '').trim();
  const nested = /^(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?([\w:-]+)$/.exec(command)?.[1];
  if (nested !== undefined && nested !== name && isForProduction(scripts[nested])) {
    return plain(scripts, nested);
  }
  if (command === '' || INTRICATE.test(command) || /^(npm|yarn|pnpm|bun run)\b/.test(command)) {
    return undefined;
  }
  return command;
}

/** What npm itself does without a start script, and then the field that names the module. */
function entryFile(
  tree: SourceTree,
  manifest: PackageJson,
  names: readonly string[],
): StartCommand | undefined {
  const { main, directory, path } = manifest;
  const named =
    main === undefined || !names.includes('index.js')
      ? []
      : [main, `${main}.js`, `${main}/index.js`];
  const isMain = (name: string): boolean => named.includes(name);
  const file = [SERVER_FILE, ...named, ...names]
    .map((name) => name.replace(/^\.\//, ''))
    .find((name) => hasFile(tree, under(directory, name)));
  if (file === undefined) return undefined;
  return {
    command: `node ${/^[\w./-]+$/.test(file) ? file : JSON.stringify(file)}`,
    why: isMain(file) ? 'main of package.json' : 'no start script; this file is there',
    evidence: isMain(file) ? lineOfKey(manifest, 'main') : path,
  };
}
