// One-off processes: release commands, migrations, detached runs. A job id runs at most once: a
// running one is joined, one that survived the agent is adopted, a finished one gives its result.
import { chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import type { JobResult, JobSpec } from '../ports/runner.ts';
import type { ExitStatus, SandboxProcess } from '../ports/sandbox.ts';
import type { RunnerContext } from './context.ts';
import { JobRecord, Records } from './records.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { ensureVolume } from './volume.ts';
import { stopProcess } from './stop-process.ts';

const RESULT_BYTES_MAX = 1024 * 1024;
const CANCEL_GRACE_MS = 10_000;
const RESULT_TARGET = '/run/tandem/result';

export class Jobs {
  readonly #context: RunnerContext;
  readonly #records: Records<JobRecord>;
  readonly #resultsDirectory: string;
  readonly #running = new Map<string, Promise<JobResult>>();

  constructor(context: RunnerContext) {
    this.#context = context;
    this.#records = new Records(join(context.paths.data, 'jobs'), JobRecord);
    this.#resultsDirectory = join(context.paths.run, 'results');
  }

  async run(spec: JobSpec, signal: AbortSignal): Promise<JobResult> {
    const running = this.#running.get(spec.jobId);
    if (running) return await running;
    const work = this.#runOnce(spec, signal);
    this.#running.set(spec.jobId, work);
    try {
      return await work;
    } finally {
      this.#running.delete(spec.jobId);
    }
  }

  isRunning(jobId: string): boolean {
    return this.#running.has(jobId);
  }

  async forget(jobId: string): Promise<void> {
    await rm(this.#resultPath(jobId), { force: true });
    await this.#records.remove(jobId);
  }

  /** Sandbox ids of jobs that may be adopted. */
  async sandboxIds(): Promise<string[]> {
    const records = await Promise.all(
      (await this.#records.ids()).map((id) => this.#records.read(id)),
    );
    return records.flatMap((record) => (record?.sandbox ? [record.sandbox.id] : []));
  }

  async #runOnce(spec: JobSpec, signal: AbortSignal): Promise<JobResult> {
    const record = await this.#records.read(spec.jobId);
    if (record?.result) return record.result;
    const startedAtMs = record?.startedAtMs ?? this.#context.clock.nowMs();
    const adopted = record?.sandbox && (await this.#context.sandbox.adopt(record.sandbox));
    if (record?.sandbox && !adopted) return await this.#lost(spec, startedAtMs);
    const process = adopted ?? (await this.#start(spec, startedAtMs, signal));
    const ended = await this.#await(process, spec, startedAtMs, signal);
    if (!ended) {
      await process.remove();
      await this.forget(spec.jobId);
      throw signal.reason;
    }
    const { exit, timedOut } = ended;
    const result = {
      exitCode: exit.code,
      outOfMemory: exit.outOfMemory,
      timedOut,
      result: await readResult(this.#resultPath(spec.jobId)),
    };
    await this.#records.write(spec.jobId, {
      schemaVersion: 1,
      jobId: spec.jobId,
      startedAtMs,
      result,
    });
    await process.remove();
    return result;
  }

  async #start(spec: JobSpec, startedAtMs: number, signal: AbortSignal): Promise<SandboxProcess> {
    signal.throwIfAborted();
    await ensureVolume(this.#context, spec);
    const source = await this.#makeResultFile(spec);
    const mount = { source, target: RESULT_TARGET, readOnly: false };
    const env = { ...spec.env, TANDEM_RESULT: RESULT_TARGET };
    return await this.#context.sandbox.start(
      sandboxSpec(
        { ...spec, env },
        {
          sandboxId: spec.jobId,
          paths: this.#context.paths,
          extraMounts: [mount],
        },
      ),
      async (sandbox) => {
        await this.#records.write(spec.jobId, {
          schemaVersion: 1,
          jobId: spec.jobId,
          startedAtMs,
          sandbox,
        });
      },
    );
  }

  /** Undefined when it was cancelled; either way the process has ended. */
  async #await(
    process: SandboxProcess,
    spec: JobSpec,
    startedAtMs: number,
    signal: AbortSignal,
  ): Promise<{ exit: ExitStatus; timedOut: boolean } | undefined> {
    const leftMs = Math.max(0, startedAtMs + spec.timeoutMs - this.#context.clock.nowMs());
    const waiting = new AbortController();
    const bound = AbortSignal.any([signal, waiting.signal]);
    const expired = this.#context.clock.sleep(leftMs, bound).then(
      () => 'timeout' as const,
      () => 'cancelled' as const,
    );
    const first = await Promise.race([process.exited, expired]);
    waiting.abort();
    if (typeof first === 'object') return { exit: first, timedOut: false };
    await stopProcess(
      process,
      { stopSignal: 'SIGTERM', stopGraceMs: CANCEL_GRACE_MS },
      this.#context.clock,
    );
    if (signal.aborted) return undefined;
    return { exit: await process.exited, timedOut: true };
  }

  /** Started, but gone with a reboot: whether it did its work is unknown, so it counts as failed. */
  async #lost(spec: JobSpec, startedAtMs: number): Promise<JobResult> {
    const result = { exitCode: 255, outOfMemory: false, timedOut: false, result: '' };
    await this.#records.write(spec.jobId, {
      schemaVersion: 1,
      jobId: spec.jobId,
      startedAtMs,
      result,
    });
    return result;
  }

  #resultPath(jobId: string): string {
    return join(this.#resultsDirectory, jobId);
  }

  /** The job writes into this one file; its directory is ours, so it cannot be replaced. */
  async #makeResultFile(spec: JobSpec): Promise<string> {
    await mkdir(this.#resultsDirectory, { recursive: true, mode: 0o711 });
    const path = this.#resultPath(spec.jobId);
    await writeFile(path, '', { mode: 0o600 });
    await chown(path, spec.uid, spec.uid);
    return path;
  }
}

async function readResult(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (!file) return '';
  try {
    const buffer = Buffer.alloc(RESULT_BYTES_MAX);
    const { bytesRead } = await file.read(buffer, 0, RESULT_BYTES_MAX, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
