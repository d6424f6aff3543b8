// What lies on the app's volume: from what the user named, what the project's text says, and what it
// did when it was imported. Pure. A volume hides what later releases bring at its paths, so code and
// files that belong to the source are never put there unless the user says so.
import { posix } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../domain/limits.ts';
import type { Finding } from '../domain/release.ts';
import {
  isVolumePath,
  parseVolumeSize,
  withoutNested,
  type VolumePath,
  type VolumePlan,
} from '../domain/volume.ts';
import { finding } from './detect/evidence.ts';
import { insideApp } from './detect/source-tree.ts';
import type { Detection } from './detect/detect.ts';
import type { VolumeCandidate } from './detect/volume-paths.ts';
import type { PrepareReport } from './steps/prepare-report.ts';

export interface VolumeConfig {
  readonly size?: string | undefined;
  readonly paths?: readonly string[] | undefined;
  readonly detect?: boolean | undefined;
}

export interface VolumePlanInput {
  readonly root: string;
  readonly config?: VolumeConfig | undefined;
  readonly candidates: readonly VolumeCandidate[];
  /** Django's MEDIA_ROOT, when it keeps uploads on disk. */
  readonly mediaRoot?: string | undefined;
  /** Every file of the source as it was uploaded, relative to its top. */
  readonly sourceFiles: readonly string[];
}

export interface PlannedVolume {
  readonly plan: VolumePlan | undefined;
  readonly findings: readonly Finding[];
}

/** With what the project did and said when it was imported. */
export function volumeOf(
  { root, config, volume }: Pick<Detection, 'root' | 'config' | 'volume'>,
  report: Pick<PrepareReport, 'media' | 'dataFiles' | 'written'>,
): PlannedVolume {
  const written = (report.written ?? []).map(({ path, kind }): VolumeCandidate => ({
    path,
    kind,
    isSure: true,
    why: 'written when the project was imported',
  }));
  const named = (report.dataFiles ?? []).map(({ path, what }): VolumeCandidate => ({
    path,
    kind: 'file',
    isSure: true,
    why: what,
  }));
  return planVolume({
    root,
    config: config.volume,
    mediaRoot: report.media?.root,
    sourceFiles: volume.sourceFiles,
    // The text first: it knows a line.
    candidates: [...volume.candidates, ...named, ...written],
  });
}

type Wish = VolumeCandidate & {
  readonly isNamed?: boolean;
  readonly isPublic?: boolean;
};

const PLACEHOLDER = /(^|\/)(\.gitkeep|\.gitignore|\.keep|\.placeholder|readme(\.\w+)?|empty)$/i;
const DATA = /\.(db|db3|sqlite|sqlite3|log|sqlite3?-(wal|shm|journal))$/i;
const CODE = /\.(py|pyi|html?|jinja2?|j2|js|mjs|ts|css|scss|po|mo)$/i;

export function planVolume(input: VolumePlanInput): PlannedVolume {
  const { config = {}, mediaRoot } = input;
  const media: Wish[] =
    mediaRoot === undefined
      ? []
      : [
          {
            path: mediaRoot,
            kind: 'directory',
            isSure: true,
            isPublic: true,
            why: 'MEDIA_ROOT: uploads',
          },
        ];
  const detected = config.detect === false ? [] : [...media, ...input.candidates];
  const settled = [...namedPaths(input), ...detected].map((wish) => settle(wish, input));
  const paths = withoutNested(settled.flatMap(({ path }) => path ?? []));
  const refused = settled.flatMap((one) => one.finding ?? []);
  const findings = [
    ...paths.map(({ path, why, evidence }) => finding('volume', shown(path), why, evidence)),
    ...refused.filter(
      (one, index) => refused.findIndex(({ value }) => value === one.value) === index,
    ),
  ];
  const sizeBytes = sizeOf(config);
  return { plan: paths.length === 0 ? undefined : { sizeBytes, paths }, findings };
}

/** Throws TANDEM_TOML_INVALID for what cannot be. */
function namedPaths({ config = {}, root }: VolumePlanInput): Wish[] {
  return (config.paths ?? []).map((name) => {
    const path = posix.join(name.startsWith('/') ? '/' : insideApp(root), name).replace(/\/$/, '');
    if (!isVolumePath(path)) {
      throw invalid(`volume path "${name}" cannot lie on a volume`, 'paths = ["media", "/data"]');
    }
    const why = 'named by you';
    return { path, kind: 'directory', isSure: true, isNamed: true, why, evidence: 'tandem.toml' };
  });
}

function sizeOf({ size }: VolumeConfig): number {
  if (size === undefined) return LIMITS.volume.sizeBytes;
  const sizeBytes = parseVolumeSize(size);
  if (sizeBytes !== undefined) return sizeBytes;
  throw invalid(`volume size "${size}" is none, or not from 16MiB to 1TiB`, 'size = "2GiB"');
}

function settle(
  wish: Wish,
  input: VolumePlanInput,
): { readonly path?: VolumePath; readonly finding?: Finding } {
  const { why, evidence, isPublic } = wish;
  const chosen = wish.kind === 'file' ? placeOfFile(wish.path, input) : wish;
  const { path, kind } = chosen;
  if (!isVolumePath(path)) return outsideReach(wish) ? { finding: cannotSurvive(wish) } : {};
  const obstacle = kind === 'directory' ? obstacleTo(wish, path, input) : undefined;
  if (obstacle !== undefined) return { finding: notOnVolume(wish, path, obstacle, input.root) };
  // A file that the source brings and that is only perhaps written: a new release must show.
  if (kind === 'file' && !wish.isSure && input.sourceFiles.includes(path.slice('/app/'.length))) {
    return {};
  }
  return {
    path: {
      path,
      ...(kind === 'file' ? { kind } : {}),
      ...(isPublic ? { isPublic } : {}),
      why,
      ...(evidence === undefined ? {} : { evidence }),
    },
  };
}

/** The directory it lies in, unless that holds more of the source: then the file alone. */
function placeOfFile(
  path: string,
  input: VolumePlanInput,
): Pick<VolumePath, 'path'> & { readonly kind: 'directory' | 'file' } {
  const parent = posix.dirname(path);
  const isTop = parent === '/app' || parent === insideApp(input.root);
  const others = filesBelow(parent, input).filter(
    (one) => !PLACEHOLDER.test(one) && !DATA.test(one),
  );
  return isTop || others.length > 0 || !isVolumePath(parent)
    ? { path, kind: 'file' }
    : { path: parent, kind: 'directory' };
}

/** Why a directory stays out; undefined when it does not. */
function obstacleTo(wish: Wish, path: string, input: VolumePlanInput): string | undefined {
  if (wish.isNamed) return undefined;
  if (insideApp(input.root).startsWith(`${path}/`) || path === insideApp(input.root)) {
    return 'the whole project lies there';
  }
  const files = filesBelow(path, input).filter((one) => !PLACEHOLDER.test(one));
  const code = files.find((one) => (wish.isPublic ? /\.py$/ : CODE).test(one));
  if (code !== undefined) return `${code} is code, and later releases would not show`;
  if (wish.isSure || files.every((one) => DATA.test(one))) return undefined;
  return `${files[0]} is part of the source, and later releases would not show`;
}

function filesBelow(path: string, { sourceFiles }: VolumePlanInput): string[] {
  if (path !== '/app' && !path.startsWith('/app/')) return [];
  const prefix = path === '/app' ? '' : `${path.slice('/app/'.length)}/`;
  return sourceFiles.filter((one) => one.startsWith(prefix));
}

function notOnVolume({ evidence, isSure }: Wish, path: string, obstacle: string, root: string) {
  const name = posix.relative(insideApp(root), path);
  const remedy =
    name === '' || name.startsWith('..')
      ? 'write into a directory of its own'
      : `if the app writes there: [volume] paths = ["${name}"] in tandem.toml`;
  const value = `${shown(path)} stays read-only`;
  return finding('volume', value, `${obstacle}; ${remedy}`, isSure ? evidence : undefined);
}

/** Worth a word: data, and on the scratch disk only a database. */
function outsideReach({ path, isSure, why }: Wish): boolean {
  if (/^\/tmp\//.test(path)) return isSure && why.startsWith('the SQLite database');
  return isSure && !/^\/(tmp|dev|proc|static|run)(\/|$)/.test(path);
}

function cannotSurvive({ path, why, evidence }: Wish): Finding {
  const remedy = 'choose a path below the project or /data';
  return finding('volume', `${path} does not survive`, `${why}; ${remedy}`, evidence);
}

function shown(path: string): string {
  return path.startsWith('/app/') ? path.slice('/app/'.length) : path;
}

function invalid(message: string, example: string): TandemError {
  return new TandemError('TANDEM_TOML_INVALID', `tandem.toml: ${message}.`, {
    where: 'tandem.toml [volume]',
    hint: `for example: ${example}`,
  });
}
