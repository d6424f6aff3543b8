// Runs the project once, in the image it will run in: bytecode, facts, static files. One process,
// without network, under the app's build uid.
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError, type ErrorBody } from '@tandem/protocol';
import { aliasValues } from '../../domain/aliases.ts';
import { diagnose } from '../../domain/diagnosis/diagnose.ts';
import { asAllowedHost } from '../../domain/hostname.ts';
import { LIMITS } from '../../domain/limits.ts';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { SandboxMount } from '../../ports/sandbox.ts';
import {
  mountOf,
  PREPARE_STEP,
  type BuildSession,
  type Step,
  type StepResult,
} from '../build-session.ts';
import { buildDiskFull, saysDiskFull } from '../diagnosis/full-disk.ts';
import type { ProjectEvidence } from '../diagnosis/project-evidence.ts';
import type { Detection } from '../detect/detect.ts';
import { insideApp } from '../detect/source-tree.ts';
import type { Variables } from '../detect/variables.ts';
import { parsePrepareReport, type PrepareReport } from './prepare-report.ts';
import { standInConfig } from './stand-in-config.ts';

const REPORT_BYTES_MAX = 4 * 1024 * 1024;

export interface PrepareRequest {
  readonly detection: Detection;
  readonly layers: readonly LayerRef[];
  /** A virtualenv that is not packed yet. */
  readonly venv: string | undefined;
  readonly imageEnv: Readonly<Record<string, string>>;
  /** Below /app: installed packages of a front end. */
  readonly mounts: readonly SandboxMount[];
  /** 1 for the first run of it in this build. */
  readonly attempt: number;
  readonly evidence: ProjectEvidence;
}

export async function prepareCode(
  session: BuildSession,
  request: PrepareRequest,
): Promise<PrepareReport> {
  const { disk } = session;
  const result = await session.run({
    name: request.attempt === 1 ? PREPARE_STEP : `${PREPARE_STEP}-${request.attempt}`,
    args: ['/venv/bin/python', '-m', 'tandem_runtime.prepare'],
    ...(await projectStep(session, request)),
    network: false,
  });
  const path = join(disk.work, 'report.json');
  const { report, flaw } = parsePrepareReport(await readUntrustedFile(path, REPORT_BYTES_MAX));
  if (flaw !== undefined && result.exit.code === 0) {
    // Ours is cut when it could not be written; else the project wrote it, or we have a defect.
    throw new TandemError('BUILD_FAILED', `The report of the build is not as expected: ${flaw}.`);
  }
  if (report === undefined || report.error !== undefined || result.exit.code !== 0) {
    throw explain(request, result, report);
  }
  return report;
}

export type ProjectStep = Pick<Step, 'layers' | 'env' | 'cwd' | 'uid' | 'mounts'>;

/** A step in the environment that the project will have, with stand-ins for its services. */
export async function projectStep(
  session: BuildSession,
  request: PrepareRequest,
): Promise<ProjectStep> {
  const { disk } = session;
  return {
    layers: request.layers,
    env: envOf(session, request),
    cwd: insideApp(request.detection.root),
    uid: session.request.buildUid,
    mounts: [
      mountOf(disk.work, '/build', false),
      mountOf(disk.source, '/app', false),
      mountOf(disk.staticFiles, '/static', false),
      mountOf(disk.overlay, '/opt/tandem/overlay'),
      ...(request.venv === undefined ? [] : [mountOf(request.venv, '/venv')]),
      ...request.mounts,
      ...(await volumeStandIns(session, request.detection)),
    ],
  };
}

/** Of the volume's directories those outside of the project: empty, and gone with the build. */
async function volumeStandIns(
  { disk, request }: BuildSession,
  { volume }: Detection,
): Promise<SandboxMount[]> {
  const outside = volume.directories.filter((path) => !path.startsWith('/app/'));
  return await Promise.all(
    outside.map(async (target, index) => {
      const source = join(disk.overlay, '..', `volume-${index}`);
      await mkdir(source, { recursive: true });
      await chown(source, request.buildUid, request.buildUid);
      return mountOf(source, target, false);
    }),
  );
}

function envOf(session: BuildSession, request: PrepareRequest): Record<string, string> {
  const { detection, imageEnv } = request;
  const { hostnames, config } = session.request;
  const path = ['/opt/tandem/runtime', imageEnv['PYTHONPATH']].filter(Boolean).join(':');
  const plan = {
    framework: detection.settings ? 'django' : 'other',
    source: '/app',
    static: detection.config.static !== false,
    entry: detection.entry,
    directories: detection.volume.directories,
  };
  const given = {
    ...standInConfig(detection.config.database !== false),
    TANDEM_HOSTS: hostnames.map(asAllowedHost).join(','),
    TANDEM_ORIGINS: hostnames.map((host) => `http://${host}`).join(','),
    TANDEM_URL: `http://${hostnames[0] ?? 'localhost'}`,
    TANDEM_HOST: hostnames[0] ?? 'localhost',
  };
  return {
    ...given,
    ...aliasValues(detection.variables.aliases, { ...given, ...config }),
    ...detection.config.env,
    ...config,
    ...imageEnv,
    PYTHONPATH: path,
    TANDEM_PUBLIC: hostnames.some((host) => !isLocal(host)) ? '1' : '0',
    TANDEM_PREPARE: JSON.stringify(plan),
    TANDEM_RESULT: '/build/report.json',
  };
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function explain(
  { detection, evidence }: PrepareRequest,
  { exit, logTail }: StepResult,
  report: PrepareReport | undefined,
): TandemError {
  const settingsModule = detection.settings?.name;
  const cause = diagnose({
    phase: 'build',
    exit,
    logTail,
    memoryBytes: LIMITS.build.memoryBytes,
    ...evidence,
    ...(settingsModule === undefined ? {} : { settingsModule }),
  });
  const said = report?.error?.message ?? lastLine(logTail);
  const isCollecting = report?.stage === 'static';
  if (cause?.code === 'VARIABLE_MISSING') return allMissing(cause, detection.variables);
  if (cause !== undefined && !(isCollecting && cause.code === 'IMPORT_FAILED')) {
    return TandemError.fromBody({ ...cause, where: cause.where ?? entryPlace(detection, cause) });
  }
  if (saysDiskFull(said)) return buildDiskFull();
  if (isCollecting) {
    return new TandemError('STATIC_FAILED', `collectstatic failed: ${said}`, {
      where: detection.settings?.file,
      hint: 'mend it, or serve the files otherwise: static = false in tandem.toml',
    });
  }
  return new TandemError('IMPORT_FAILED', `The project cannot be imported: ${said}`, {
    hint: 'the traceback is in the log',
  });
}

/** Every variable that the next attempts would ask for, in one command. */
function allMissing(cause: ErrorBody, { missing }: Variables): TandemError {
  const asked = /([A-Za-z_]\w*)=\.\.\./g;
  const first = [...(cause.hint ?? '').matchAll(asked)].map(([, name = '']) => name);
  const names = [...new Set([...first, ...missing.map(({ name }) => name)])];
  if (names.length <= first.length) return TandemError.fromBody(cause);
  const others = missing.filter(({ name }) => !first.includes(name));
  const places = others.map(({ name, evidence }) => `${name} (${evidence})`).join(', ');
  return TandemError.fromBody({
    ...cause,
    message: `${cause.message} It will also need ${places}.`,
    hint: `tandem config set ${names.map((name) => `${name}=...`).join(' ')}`,
  });
}

/** An application that is not where it was looked for: who said that it is there. */
function entryPlace({ findings }: Detection, { code }: ErrorBody): string | undefined {
  if (code !== 'IMPORT_FAILED') return undefined;
  const entry = findings.find(({ rule }) => rule === 'entry');
  return entry && [entry.evidence, entry.value].filter(Boolean).join(' ');
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
