// What the project says of itself, from all files that can: tandem.toml (or [tool.tandem]) key by key
// before epio.ini. A Procfile ranks below both and is read where processes are detected.
import type { Finding } from '../../domain/release.ts';
import { EPIO_INI } from './epio/invalid.ts';
import { readEpioIni } from './epio/read-epio-ini.ts';
import { finding } from './evidence.ts';
import { linkedTree, type Link } from './linked-tree.ts';
import { hasFile, type SourceTree } from './source-tree.ts';
import {
  readTandemToml,
  type ConfigurationFile,
  type Origins,
  type TandemConfig,
} from './tandem-toml.ts';
import type { VolumeCandidate } from './volume-paths.ts';

export interface Configuration extends ConfigurationFile {
  readonly origins: Origins;
  /** To be made in the source before anything of it is run. */
  readonly links: readonly Link[];
  /** The source as it is with those links. */
  readonly tree: SourceTree;
  /** `file:line` that names the directory for files of the ep.io system. */
  readonly dataDirectory?: string;
  /** Paths that must outlive a release. */
  readonly kept: readonly VolumeCandidate[];
  /** `file:line` that says there is no app, only files. */
  readonly filesOnly?: string;
  readonly findings: readonly Finding[];
}

/** `appConfig` is what the user set with `tandem config`: it goes before what a file says. */
export function readConfiguration(
  tree: SourceTree,
  appConfig: Readonly<Record<string, string>> = {},
): Configuration {
  const own = readTandemToml(tree);
  const ownOrigins = originsOf(own);
  const epio = readEpioIni(tree);
  if (epio === undefined) {
    const nothing = { links: [], kept: [], findings: [] };
    return { ...own, origins: ownOrigins, tree, ...nothing };
  }
  if (appConfig['DJANGO_SETTINGS_MODULE'] !== undefined) epio.unset('settings');
  const config: TandemConfig = { ...epio.config, ...own.config };
  return {
    config,
    file: own.config.processes === undefined && epio.config.processes ? EPIO_INI : own.file,
    origins: { ...epio.origins, ...ownOrigins },
    links: epio.links,
    kept: epio.kept,
    ...(epio.filesOnly === undefined ? {} : { filesOnly: epio.filesOnly }),
    tree: linkedTree(tree, epio.links),
    ...(epio.dataDirectory === undefined ? {} : { dataDirectory: epio.dataDirectory }),
    findings: [
      finding('configuration', EPIO_INI, whyRead(own), EPIO_INI),
      ...outranked(epio.origins, own),
      ...procfileLeftOut(tree, config),
      ...epio.findings,
    ],
  };
}

function originsOf({ config, file }: ConfigurationFile): Origins {
  return Object.fromEntries(Object.keys(config).map((key) => [key, file]));
}

function whyRead({ config, file }: ConfigurationFile): string {
  const isAlone = Object.keys(config).length === 0;
  return isAlone ? 'the file of the ep.io system' : `where ${file} says nothing`;
}

/** Both files set the key. */
function outranked(origins: Origins, own: ConfigurationFile): Finding[] {
  return Object.entries(origins)
    .filter(([key]) => key in own.config)
    .map(([key, place]) =>
      finding('configuration', `${key} of ${own.file}`, `before ${place}`, place),
    );
}

function procfileLeftOut(tree: SourceTree, { processes }: TandemConfig): Finding[] {
  if (processes === undefined || !hasFile(tree, 'Procfile')) return [];
  const why = 'processes are named before it; only its release command counts';
  return [finding('configuration', 'Procfile left out', why, 'Procfile')];
}
