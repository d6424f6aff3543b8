// Which Node.js a project wants, and which of the published versions that is. Pure.
import semver from 'semver';
import { finding } from '../detect/evidence.ts';
import { under, type SourceTree } from '../detect/source-tree.ts';
import type { Finding } from '../../domain/release.ts';
import { lineOfKey, type PackageJson } from './package-json.ts';

export interface NodeWish {
  /** A range of semver. */
  readonly range: string;
  readonly why: string;
  readonly evidence?: string;
}

/** Long-term support, and what projects that say nothing get. */
export const DEFAULT_MAJOR = 24;
/** Names of the lines with long-term support, as nvm knows them. */
const CODE_NAMES: Readonly<Record<string, number>> = {
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
};
const ANY: NodeWish = { range: '*', why: 'the project names no version' };

export function detectNodeVersion(
  tree: SourceTree,
  manifest: PackageJson,
  directories: readonly string[],
  configured?: string,
): NodeWish {
  if (configured !== undefined)
    return { range: configured, why: 'set in tandem.toml', evidence: 'tandem.toml' };
  for (const directory of new Set([manifest.directory, ...directories])) {
    for (const name of ['.nvmrc', '.node-version', '.tool-versions']) {
      const path = under(directory, name);
      const range = rangeIn(name, tree.read(path));
      if (range !== undefined) return { range, why: 'named by the project', evidence: path };
    }
  }
  const { engines, voltaNode } = manifest;
  if (voltaNode !== undefined && semver.validRange(voltaNode) !== null) {
    const evidence = lineOfKey(manifest, 'volta');
    return { range: voltaNode, why: 'pinned by the project', evidence };
  }
  const engine = engines['node'];
  if (engine === undefined || semver.validRange(engine) === null) return ANY;
  const evidence = lineOfKey(manifest, 'engines');
  return { range: engine, why: 'engines of package.json', evidence };
}

function rangeIn(name: string, text: string | undefined): string | undefined {
  const lines = (text ?? '').split(/\r?\n/).map((line) => line.replace(/#.*$/, '').trim());
  const version =
    name === '.tool-versions'
      ? lines.flatMap((line) => /^node(?:js)?\s+(\S+)/.exec(line)?.[1] ?? [])[0]
      : lines.find((line) => line !== '');
  return version === undefined ? undefined : rangeOf(version);
}

/** `v20`, `20.11.1`, `lts/iron`, `lts/*`, `node`. */
function rangeOf(text: string): string | undefined {
  const plain = text.toLowerCase().replace(/^v(?=\d)/, '');
  const codeName = /^(?:lts\/)?([a-z]+)$/.exec(plain)?.[1] ?? '';
  const major = CODE_NAMES[codeName];
  if (major !== undefined) return String(major);
  if (/^(lts(\/\*)?|node|stable|latest|current)$/.test(plain)) return '*';
  return semver.validRange(plain) === null ? undefined : plain;
}

/** Undefined when none of the published versions is in the range. */
export function chooseNodeVersion(range: string, published: readonly string[]): string | undefined {
  const stable = published.filter((version) => semver.prerelease(version) === null);
  const inRange = stable.filter((version) => semver.satisfies(version, range));
  const supported = inRange.filter((version) => semver.major(version) % 2 === 0);
  // An open range (`>=14`) does not ask for what came out last week.
  const proven = supported.filter((version) => semver.major(version) <= DEFAULT_MAJOR);
  return newest(proven) ?? newest(supported) ?? newest(inRange);
}

/** Of a package (npm, pnpm): the newest in the range that runs on this Node. */
export function chooseToolVersion(
  range: string,
  nodeVersion: string,
  published: Readonly<Record<string, { readonly node: string | undefined }>>,
): string | undefined {
  const usable = Object.entries(published).filter(
    ([version, { node = '*' }]) =>
      semver.prerelease(version) === null &&
      semver.satisfies(version, range) &&
      semver.satisfies(nodeVersion, node),
  );
  return newest(usable.map(([version]) => version));
}

function newest(versions: readonly string[]): string | undefined {
  return versions.toSorted(semver.rcompare)[0];
}

export function nodeFinding({ why, evidence }: NodeWish, version: string): Finding {
  return finding('node', version, why, evidence);
}
