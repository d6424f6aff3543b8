// What the project says of system packages: `[packages] apt` in tandem.toml, an Aptfile, and signs
// in its source of libraries that no requirement names.
import type { Finding } from '../../domain/release.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { under, walkFiles, type SourceTree } from './source-tree.ts';
import type { DependencySource } from './dependency-files.ts';
import type { TandemConfig } from './tandem-toml.ts';
import { parseAptfile } from '../system-packages/aptfile.ts';
import { DJANGO_GIS, SPATIALITE } from '../system-packages/known-needs.ts';
import { systemNeeds } from '../system-packages/system-needs.ts';
import { parsePackageSpec, type PackageSpec } from '../system-packages/package-spec.ts';
import type { ContainerImage } from './containers/container-image.ts';
import { containerPackages } from './containers/container-packages.ts';

export interface SystemPackageWishes {
  readonly asked: readonly PackageSpec[];
  /** Of its Dockerfile, which may be written for another Debian: left out where there is none. */
  readonly wished: readonly PackageSpec[];
  /** Names of the table of known needs that no requirement has. */
  readonly signs: readonly string[];
  /** What Python packages are known to need is installed too. */
  readonly automatic: boolean;
}

/** As far as it is known before. */
export interface DetectedProject {
  readonly root: string;
  readonly config: TandemConfig;
  readonly dependencies: Pick<DependencySource, 'names'>;
  readonly settings?: { readonly file: string };
}

const APTFILE_LINES_MAX = 500;

export function detectSystemPackages(
  tree: SourceTree,
  { root, config, dependencies, settings }: DetectedProject,
  configFile: string,
  image?: ContainerImage,
): Detected<SystemPackageWishes> {
  const named = config.packages?.apt?.map((text) => {
    const evidence = `${configFile}:${lineOf(tree.read(configFile) ?? '', text)}`;
    return parsePackageSpec(text, evidence, 'TANDEM_TOML_INVALID');
  });
  const asked = named ?? inAptfile(tree, root);
  const signs = signsIn(tree, settings?.file);
  const automatic = config.packages?.automatic ?? true;
  const names = [...dependencies.names, ...signs];
  const inImage = image && automatic ? containerPackages(image) : detected([]);
  const known = systemNeeds({ asked, wished: [], automatic, names, fromSource: false });
  const needed = new Set(known.running.map(({ name }) => name));
  const wished = inImage.value.filter(({ name }) => !needed.has(name)).map(wishedSpec);
  const value = { asked, wished, signs, automatic };
  return detected(
    value,
    ...asked.map(({ text, evidence }) =>
      finding('system packages', text, 'asked for by the project', evidence),
    ),
    ...known.findings,
    ...wishedFindings(wished),
    ...inImage.findings,
  );
}

function wishedSpec({ name, evidence }: { name: string; evidence: string }): PackageSpec {
  return { name, conditions: [], text: name, evidence, optional: true };
}

/** Those of one instruction together. */
function wishedFindings(wished: readonly PackageSpec[]): Finding[] {
  const places = [...new Set(wished.map(({ evidence }) => evidence))];
  return places.map((place) => {
    const names = wished.filter(({ evidence }) => evidence === place).map(({ name }) => name);
    const why = 'its Dockerfile installs them';
    return finding('system packages', names.join(' '), why, place, 'likely');
  });
}

function inAptfile(tree: SourceTree, root: string): PackageSpec[] {
  for (const path of new Set([under(root, 'Aptfile'), 'Aptfile'])) {
    const text = tree.read(path);
    if (text !== undefined) return parseAptfile(text, path).slice(0, APTFILE_LINES_MAX);
  }
  return [];
}

/** GeoDjango is a part of Django: only its use shows. Settings files stand side by side. */
function signsIn(tree: SourceTree, settingsFile: string | undefined): string[] {
  if (settingsFile === undefined) return [];
  const at = settingsFile.lastIndexOf('/');
  const files = walkFiles(tree, at < 0 ? '' : settingsFile.slice(0, at), 0);
  const texts = files.filter((path) => path.endsWith('.py')).map((path) => code(tree.read(path)));
  const uses = (pattern: RegExp): boolean => texts.some((text) => pattern.test(text));
  const gis = uses(/["']django\.contrib\.gis\b/) || uses(/["']postgis:\/\//);
  return [
    ...(gis ? [DJANGO_GIS] : []),
    ...(uses(/["'](django\.contrib\.gis\.db\.backends\.spatialite|spatialite:)/)
      ? [SPATIALITE]
      : []),
  ];
}

/** Whole-line comments are what settings files are full of. */
function code(text = ''): string {
  return text.replace(/^\s*#.*$/gm, '');
}

function lineOf(text: string, value: string): number {
  const index = text.split('\n').findIndex((line) => line.includes(value));
  return index + 1 || 1;
}
