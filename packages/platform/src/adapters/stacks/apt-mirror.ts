// Where packages come from: the mirror this machine uses itself when it runs the same release of
// Debian, else the public one.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SUITE } from './recipe.ts';

/** Of package debian-archive-keyring, here and in every stack. */
export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface AptMirror {
  readonly main: string;
  readonly security: string;
}

export const PUBLIC_MIRROR: AptMirror = {
  main: 'http://deb.debian.org/debian',
  security: 'http://deb.debian.org/debian-security',
};

/** A mirror given by the operator carries the security archive beside the main one. */
export function mirrorAt(main: string): AptMirror {
  const trimmed = main.replace(/\/+$/, '');
  return { main: trimmed, security: `${trimmed}-security` };
}

export async function machineMirror(suite: string, aptDirectory = '/etc/apt'): Promise<AptMirror> {
  const parts = join(aptDirectory, 'sources.list.d');
  const names = await readdir(parts).catch(() => []);
  const files = names.filter((name) => /\.(list|sources)$/.test(name)).map((n) => join(parts, n));
  const texts = await Promise.all(
    [join(aptDirectory, 'sources.list'), ...files].map((f) => readFile(f, 'utf8').catch(() => '')),
  );
  return mirrorIn(texts.join('\n\n'), suite) ?? PUBLIC_MIRROR;
}

/** For installing more on a stack of ours: it holds the keys. */
export async function systemArchive(): Promise<readonly string[]> {
  return archiveLines(await machineMirror(SUITE), KEYRING);
}

/** The archives of a stack as lines of sources.list(5). */
export function archiveLines({ main, security }: AptMirror, signedBy?: string): string[] {
  const options = signedBy === undefined ? '' : `[signed-by=${signedBy}] `;
  const line = (uri: string, suite: string): string => `deb ${options}${uri} ${suite} main`;
  return [line(main, SUITE), line(main, `${SUITE}-updates`), line(security, `${SUITE}-security`)];
}

/** Reads both formats of sources.list(5). Undefined unless main and security archive are named. */
export function mirrorIn(sources: string, suite: string): AptMirror | undefined {
  const archives = [...oneLineEntries(sources), ...deb822Entries(sources)];
  const uriOf = (wanted: string): string | undefined =>
    archives.find(({ suites, uri }) => suites.includes(wanted) && /^https?:/.test(uri))?.uri;
  const main = uriOf(suite);
  const security = uriOf(`${suite}-security`);
  return main && security ? { main, security } : undefined;
}

interface Archive {
  readonly uri: string;
  readonly suites: readonly string[];
}

function oneLineEntries(sources: string): Archive[] {
  const lines = sources.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s/gm);
  return [...lines].map(([, uri = '', suite = '']) => ({ uri, suites: [suite] }));
}

function deb822Entries(sources: string): Archive[] {
  return sources.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:(.*)$`, 'm').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
    if (!field('Types').includes('deb') || field('Enabled').includes('no')) return [];
    return field('URIs').map((uri) => ({ uri, suites: field('Suites') }));
  });
}
