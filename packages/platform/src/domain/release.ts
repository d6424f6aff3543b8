// What a release is made of. Immutable once recorded.
import type { Aliases } from './aliases.ts';
import type { LayerRef } from './layer.ts';
import type { VolumePlan } from './volume.ts';

/** How a process type is run: `web` gets a port and a probe, `singleton` never runs twice. */
export type ProcessKind = 'web' | 'worker' | 'singleton';

export interface ProcessType {
  readonly kind: ProcessKind;
  /** Run by `/bin/sh -c 'exec ...'` inside; from the Procfile, tandem.toml or detection. */
  readonly command: string;
  /** Idle time the HTTP server keeps a connection, when we start the server ourselves. */
  readonly keepAliveMs?: number;
}

/** Applied or present migration, as Django records it: `app.0001_initial`. */
export type MigrationName = string;

export interface ReleaseLayers {
  readonly stack: LayerRef;
  /** Debian packages above the stack, when the app needs more than it has. */
  readonly system?: LayerRef;
  /** Python or Node.js. Absent when it is the stack's own. */
  readonly interpreter?: LayerRef;
  readonly dependencies?: LayerRef;
  /** Ours: web server, database driver. */
  readonly additions: readonly LayerRef[];
  /** Ours: start-up hook and helpers, per Python minor version. Absent where no Python runs. */
  readonly runtime?: LayerRef;
  readonly code: LayerRef;
}

export interface StaticFiles {
  /** For example `/static/`. */
  readonly urlPrefix: string;
  /** Directory in the code layer, for example `/static`. */
  readonly directory: string;
  readonly fileCount: number;
}

/** A URL that the static server answers from the code layer. */
export interface StaticRoute {
  /** `/assets/` for a directory, `/favicon.ico` for a file, `/` for a site. */
  readonly url: string;
  /** Absolute, in the code layer; of a file the directory it lies in. */
  readonly directory: string;
  readonly file?: string;
  /** How long browsers keep what has no hash in its name. */
  readonly expiresS?: number;
  /** Of a site whose pages are made in the browser: index.html answers for them all. */
  readonly isSinglePage?: boolean;
}

/** Uploads that the static server answers from the volume. */
export interface MediaFiles {
  readonly urlPrefix: string;
  /** Inside the sandbox: `/app/media`. */
  readonly directory: string;
}

export type Framework =
  'django' | 'flask' | 'fastapi' | 'starlette' | 'wsgi' | 'asgi' | 'node' | 'procfile' | 'static';

/** What the builder hands over; a release is this plus number, config snapshot and migrations. */
export interface BuiltImage {
  readonly layers: ReleaseLayers;
  readonly framework: Framework;
  /** Of a Python app. */
  readonly pythonVersion?: string;
  /** Of a Node.js app. */
  readonly nodeVersion?: string;
  readonly processTypes: Readonly<Record<string, ProcessType>>;
  /** Run once, in order, from the new image before any instance starts (shell lines). */
  readonly releaseCommands: readonly string[];
  readonly needsDatabase: boolean;
  /** Absent in images of before there was Redis. */
  readonly needsRedis?: boolean;
  /** Where processes and release commands start; default `/app`. */
  readonly workingDirectory?: string;
  /** Environment that the image itself asks for (DJANGO_SETTINGS_MODULE, PYTHONPATH ...). */
  readonly env: Readonly<Record<string, string>>;
  /** Names under which the project reads what the platform hands out; older releases have none. */
  readonly aliases?: Aliases;
  readonly staticFiles?: StaticFiles;
  readonly staticRoutes?: readonly StaticRoute[];
  readonly media?: MediaFiles;
  /** What must outlive the release. */
  readonly volume?: VolumePlan;
  /** Django only: every migration the image carries. */
  readonly migrations?: readonly MigrationName[];
  /** Kept as long as the image, so that the next build finds them; some are part of `layers`. */
  readonly buildLayers?: readonly LayerRef[];
  /** What was detected and why, for people. */
  readonly findings: readonly Finding[];
}

/** `certain` is what the project says itself; `likely` follows from it; `guess` is a convention. */
export type Confidence = 'certain' | 'likely' | 'guess';

export interface Finding {
  /** For example `settings`, `python`, `database`. */
  readonly rule: string;
  readonly value: string;
  readonly why: string;
  /** `file` or `file:line` in the source. */
  readonly evidence?: string;
  /** Absent: certain. */
  readonly confidence?: Confidence;
}

export function layersOf(layers: ReleaseLayers): LayerRef[] {
  return [
    layers.stack,
    ...(layers.system ? [layers.system] : []),
    ...(layers.interpreter ? [layers.interpreter] : []),
    ...(layers.dependencies ? [layers.dependencies] : []),
    ...layers.additions,
    ...(layers.runtime ? [layers.runtime] : []),
    layers.code,
  ];
}
