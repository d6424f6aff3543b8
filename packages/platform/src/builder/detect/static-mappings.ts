// URLs that the static server answers without the app, by tandem.toml. Pure.
import { posix } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { Finding, StaticRoute } from '../../domain/release.ts';
import { isVolumePath } from '../../domain/volume.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { hasFile, insideApp, type SourceTree } from './source-tree.ts';

/**
 * `[static]` of tandem.toml: URL -> path, or path and how long it may be kept; `expires` for all. A path
 * is relative to the root of the app, or absolute inside the sandbox.
 */
export type StaticTable = Readonly<
  Record<string, string | { readonly path: string; readonly expires?: string | undefined }>
>;

const UNIT_S = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 } as const;
const TOP_FILES = ['favicon.ico', 'robots.txt'];
const EXPIRES = /^(\d{1,9})([smhdwy])$/;
const EXPIRES_S_MAX = 10 * UNIT_S.y;
const URL = /^\/([\w.~@-]+\/?)*$/;
/** As the static server takes it. */
const PLAIN = /^(\/[A-Za-z0-9_][A-Za-z0-9._-]*){1,16}$/;

export function configuredMappings(
  tree: SourceTree,
  root: string,
  table: StaticTable | boolean | undefined,
  origin = 'tandem.toml',
): Detected<readonly StaticRoute[]> {
  if (typeof table !== 'object') return detected([]);
  const { expires, ...mappings } = table;
  if (typeof expires === 'object') throw invalid('expires', 'is not a time', 'expires = "30d"');
  const all = Object.entries(mappings).map(([url, value]) => {
    const place = typeof value === 'string' ? { path: value } : value;
    return mapping(tree, root, url, { expires, ...place });
  });
  return detected(
    all,
    ...all.map((route) => finding('static', shownMapping(route), 'set by you', origin)),
  );
}

/** Throws TANDEM_TOML_INVALID for a mapping beside the code where no volume lies. */
export function assertOnVolume(
  routes: readonly StaticRoute[],
  volumeDirectories: readonly string[],
): void {
  for (const { url, directory } of routes) {
    const isKept = volumeDirectories.some((path) => `${directory}/`.startsWith(`${path}/`));
    if (isKept || `${directory}/`.startsWith('/app/')) continue;
    throw new TandemError('TANDEM_TOML_INVALID', `tandem.toml: nothing lies at ${directory}.`, {
      where: `tandem.toml [static] "${url}"`,
      hint: `keep it on the volume: [volume] paths = ["${directory}"]`,
    });
  }
}

/** Which of the files at the top the code of the app speaks of, so that it may answer them itself. */
export function answeredUrls(tree: SourceTree, sourceFiles: readonly string[]): string[] {
  const code = sourceFiles.filter((path) => path.endsWith('.py'));
  return TOP_FILES.filter((file) => code.some((path) => tree.read(path)?.includes(file))).map(
    (file) => `/${file}`,
  );
}

export function isServable(directory: string): boolean {
  return PLAIN.test(directory);
}

export function isMappedUrl(url: string): boolean {
  return URL.test(url) && !url.split('/').some((part) => part === '.' || part === '..');
}

/** "30d" in seconds. */
export function parseExpires(text: string): number | undefined {
  const [, digits, unit] = EXPIRES.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const seconds = Number(digits) * UNIT_S[unit as keyof typeof UNIT_S];
  return seconds <= EXPIRES_S_MAX ? seconds : undefined;
}

export function shownMapping({ url, directory, file }: StaticRoute): string {
  const path = file === undefined ? `${directory}/` : `${directory}/${file}`;
  return `${url} -> ${path.replace(/^\/app\//, '')}`;
}

function mapping(
  tree: SourceTree,
  root: string,
  url: string,
  place: { readonly path: string; readonly expires?: string | undefined },
): StaticRoute {
  if (!isMappedUrl(url)) throw invalid(url, 'is not a URL path', '"/assets" = "public/assets"');
  const base = place.path.startsWith('/') ? '/' : insideApp(root);
  const path = posix.join(base, place.path).replace(/\/$/, '');
  const isInApp = path === '/app' || path.startsWith('/app/');
  const relative = isInApp ? path.slice('/app/'.length) : '';
  if (!isInApp && !(base === '/' && isVolumePath(path))) {
    throw invalid(url, `"${place.path}" leaves the source`, '"/assets" = "public/assets"');
  }
  const isFile =
    (isInApp && hasFile(tree, relative)) ||
    (posix.extname(url) !== '' && !(isInApp && isDirectory(tree, relative)));
  const directory = isFile ? posix.dirname(path) : path;
  if (!isServable(directory)) {
    const why = `"${place.path}" has a name that the static server does not take`;
    throw invalid(url, why, 'letters, digits, ".", "_" and "-"');
  }
  const expiresS = place.expires === undefined ? undefined : parseExpires(place.expires);
  if (place.expires !== undefined && expiresS === undefined) {
    throw invalid(url, `"${place.expires}" is not a time`, 'expires = "30d"; s, m, h, d, w or y');
  }
  return {
    url: isFile ? url : `${url}/`.replace(/\/+$/, '/'),
    directory,
    ...(isFile ? { file: posix.basename(path) } : {}),
    ...(expiresS === undefined ? {} : { expiresS }),
  };
}

function isDirectory(tree: SourceTree, path: string): boolean {
  return tree.list(path).length > 0;
}

function invalid(key: string, problem: string, example: string): TandemError {
  return new TandemError('TANDEM_TOML_INVALID', `tandem.toml: [static] "${key}": ${problem}.`, {
    where: 'tandem.toml [static]',
    hint: `for example: ${example}`,
  });
}

/** Files that browsers and robots ask for at the top, in directories that are served anyway. */
export function wellKnownFiles(
  sourceFiles: readonly string[],
  routes: readonly StaticRoute[],
  isAnswered: (url: string) => boolean,
): readonly { readonly route: StaticRoute; readonly finding: Finding }[] {
  return TOP_FILES.flatMap((file) => {
    const url = `/${file}`;
    const found = routes.find(
      (route) =>
        route.file === undefined &&
        sourceFiles.includes(`${route.directory.slice('/app/'.length)}/${file}`),
    );
    const isMapped = routes.some((route) => route.url === url || route.url === '/');
    if (found === undefined || isMapped || isAnswered(url)) return [];
    const route = { url, directory: found.directory, file };
    const why = `lies in what is served at ${found.url}`;
    return [{ route, finding: finding('static', shownMapping(route), why) }];
  });
}
