// One build under way: its disk, its log, its deadline, and how a step of it runs in a sandbox.
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../domain/limits.ts';
import type { BuildRequest, BuildStep } from '../ports/builder.ts';
import type { LayerRef } from '../ports/image-store.ts';
import type { ExitStatus, SandboxMount, SandboxProcess } from '../ports/sandbox.ts';
import { layOutDisk, type BuildDisk } from './build-disk.ts';
import { BuildLog } from './build-log.ts';
import type { BuilderOptions } from './collaborators.ts';

const LOG_CHECK_MS = 1_000;
const MACHINE_SHARE = 1 / 4;
const ID_LENGTH_MAX = 60;
/** Scratch disks and sandboxes of builds; `sweep` knows them by it. */
export const BUILD_PREFIX = 'build-';
/** The step that runs the project's own code. */
export const PREPARE_STEP = 'prepare';
/** With these begin the steps of a front end. */
const NODE_STEP = 'node-';

export interface Step {
  /** Short: `resolve`. Unique within the build. */
  readonly name: string;
  readonly layers: readonly LayerRef[];
  readonly args: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid: number;
  readonly mounts: readonly SandboxMount[];
  readonly network: boolean;
  /** Runs beside others: what it writes reaches the log once it has ended, and not among theirs. */
  readonly aside?: boolean;
}

export interface StepResult {
  readonly exit: ExitStatus;
  /** Plain text of what the step wrote, its end. */
  readonly logTail: string;
}

const BASE_ENV = {
  PATH: '/venv/bin:/opt/python/bin:/usr/local/bin:/usr/bin:/bin',
  HOME: '/tmp',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
};

export class BuildSession {
  readonly request: BuildRequest;
  readonly disk: BuildDisk;
  readonly log: BuildLog;
  readonly signal: AbortSignal;
  readonly #options: BuilderOptions;
  readonly #timeoutMs: number;
  /** Steps that write into the log of the build. */
  #speaking = 0;
  /** Of steps that ran beside them. */
  readonly #asides: BuildLog[] = [];
  readonly #kept = new Map<string, LayerRef>();

  private constructor(options: BuilderOptions, request: BuildRequest, disk: BuildDisk) {
    this.#options = options;
    this.request = request;
    this.disk = disk;
    this.log = new BuildLog(request.logPath, options.clock);
    this.#timeoutMs = request.timeoutMs ?? LIMITS.build.timeoutMs;
    this.signal = AbortSignal.any([request.signal, AbortSignal.timeout(this.#timeoutMs)]);
  }

  static async open(options: BuilderOptions, request: BuildRequest): Promise<BuildSession> {
    const id = diskId(request.buildId);
    const root = await options.scratch.create(id, LIMITS.build.diskBytes);
    try {
      return new BuildSession(options, request, await layOutDisk(root, request.buildUid));
    } catch (error) {
      await options.scratch.remove(id);
      throw error;
    }
  }

  /** A layer that the next build of the app wants to find again, whether it is run or not. */
  keep(layer: LayerRef): LayerRef {
    this.#kept.set(layer.sha256, layer);
    return layer;
  }

  get kept(): readonly LayerRef[] {
    return [...this.#kept.values()];
  }

  async close(): Promise<void> {
    await this.#takeAsides();
    await this.#options.scratch.remove(diskId(this.request.buildId));
  }

  /** Throws CANCELLED, BUILD_TIMEOUT, OUT_OF_MEMORY or BUILD_FAILED (log flood); any exit resolves. */
  async run(step: Step): Promise<StepResult> {
    this.throwIfStopped();
    if (step.aside) {
      const log = new BuildLog(
        join(this.disk.overlay, '..', `${step.name}.log`),
        this.#options.clock,
      );
      return await this.#runInto(log, step).finally(() => this.#asides.push(log));
    }
    this.#speaking += 1;
    try {
      return await this.#runInto(this.log, step);
    } finally {
      this.#speaking -= 1;
      if (this.#speaking === 0) await this.#takeAsides();
    }
  }

  async #runInto(log: BuildLog, step: Step): Promise<StepResult> {
    const before = await log.sizeBytes();
    const process = await this.#options.sandbox.start(this.#specOf(step, log));
    try {
      const exit = await this.#waitFor(process, log);
      this.throwIfStopped();
      if (exit.outOfMemory) throw outOfMemory(step.name);
      return { exit, logTail: await log.tail(before) };
    } finally {
      await process.remove();
    }
  }

  /** Once nobody speaks: a line between those of a traceback would make it another. */
  async #takeAsides(): Promise<void> {
    for (const log of this.#asides.splice(0)) await this.log.take(log);
  }

  throwIfStopped(): void {
    if (this.request.signal.aborted) {
      throw new TandemError('CANCELLED', 'The build was cancelled.');
    }
    if (!this.signal.aborted) return;
    const minutes = this.#timeoutMs / 60_000;
    throw new TandemError('BUILD_TIMEOUT', `The build took longer than ${minutes} minutes.`, {
      hint: 'find the step that takes so long in the log above',
    });
  }

  /** Says and times a step of the build. */
  async report<T>(name: BuildStep, work: () => Promise<{ value: T; detail: string }>): Promise<T> {
    const start = this.#options.clock.monotonicMs();
    const { value, detail } = await work();
    const tookMs = Math.round(this.#options.clock.monotonicMs() - start);
    await this.log.say(`${name}: ${detail} (${tookMs} ms)`);
    this.request.progress.step(name, detail, tookMs);
    return value;
  }

  #specOf(step: Step, log: BuildLog) {
    const { request } = this;
    const id = `${BUILD_PREFIX}${request.buildId}`.slice(0, ID_LENGTH_MAX - step.name.length - 1);
    const { network } = request;
    return {
      id: `${id}-${step.name}`,
      layers: step.layers,
      args: step.args,
      env: { ...BASE_ENV, ...step.env },
      cwd: step.cwd ?? '/build',
      uid: step.uid,
      userName: 'build',
      hostname: `build-${request.appName}`,
      hosts: {},
      mounts: step.mounts,
      limits: {
        memoryBytes: memoryOf(step.name),
        pids: LIMITS.build.pids,
        openFiles: LIMITS.instance.openFiles,
        tmpBytes: LIMITS.instance.tmpBytes,
        cpuWeight: 20,
      },
      ...(step.network ? { network: { ...network, links: [] } } : {}),
      logPath: log.path,
    };
  }

  /** Until it ends, we are told to stop, or it floods the log. */
  async #waitFor(process: SandboxProcess, log: BuildLog): Promise<ExitStatus> {
    const watching = new AbortController();
    const stopped = AbortSignal.any([this.signal, watching.signal]);
    try {
      return await Promise.race([process.exited, this.#watch(process, log, stopped)]);
    } finally {
      watching.abort();
    }
  }

  async #watch(process: SandboxProcess, log: BuildLog, stopped: AbortSignal): Promise<ExitStatus> {
    for (;;) {
      await delay(LOG_CHECK_MS, undefined, { signal: stopped }).catch(() => undefined);
      if (stopped.aborted) break;
      if ((await log.sizeBytes()) <= LIMITS.build.logBytesMax) continue;
      await process.signal('SIGKILL');
      throw new TandemError('BUILD_FAILED', 'The build wrote more into its log than the limit.', {
        hint: 'find what prints so much at the end of the log',
      });
    }
    if (this.signal.aborted) await process.signal('SIGKILL');
    return await process.exited;
  }
}

export function diskId(buildId: string): string {
  return `${BUILD_PREFIX}${buildId}`;
}

export function mountOf(source: string, target: string, readOnly = true): SandboxMount {
  return { source, target, readOnly };
}

/** /build inside, with uv and its cache. The cache lies elsewhere only when it is shared. */
export function workMounts(work: string, uvPath: string, cache?: string): SandboxMount[] {
  return [
    mountOf(work, '/build', false),
    mountOf(join(uvPath, '..'), '/build/bin'),
    ...(cache === undefined ? [] : [mountOf(cache, '/build/cache', false)]),
  ];
}

function outOfMemory(step: string): TandemError {
  const mebibytes = Math.floor(memoryOf(step) / 1024 / 1024);
  const imports = step.startsWith(PREPARE_STEP);
  const when = imports ? 'while the project was imported' : `in the step "${step}"`;
  const message = `The build reached its memory limit of ${mebibytes} MiB ${when}.`;
  return new TandemError('OUT_OF_MEMORY', message, {
    hint: lessMemory(step),
  });
}

/** What compiles or bundles may have more than what imports. */
function memoryOf(step: string): number {
  const { memoryBytes, memoryBytesMax } = LIMITS.build;
  if (step.startsWith(PREPARE_STEP)) return memoryBytes;
  return Math.min(memoryBytesMax, Math.max(memoryBytes, totalmem() * MACHINE_SHARE));
}

function lessMemory(step: string): string {
  if (step.startsWith(PREPARE_STEP)) {
    return 'do not load models or data at import; load them when they are first used';
  }
  return step.startsWith(NODE_STEP)
    ? 'tandem config set NODE_OPTIONS=--max-old-space-size=1024, or commit what it builds and set node = false in tandem.toml'
    : 'choose versions of the packages that have wheels, so that nothing is compiled';
}
