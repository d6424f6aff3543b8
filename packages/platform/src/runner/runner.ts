// The runner of one node: keeps an actor for every instance that the nexus wants, and the jobs.
import { join } from 'node:path';
import type {
  InstanceSpec,
  JobResult,
  JobSpec,
  ObservedInstance,
  Runner,
} from '../ports/runner.ts';
import type { VolumeUse } from '../ports/app-volumes.ts';
import type { AttachedSession } from '../ports/sandbox.ts';
import type { RunnerContext } from './context.ts';
import { InstanceActor } from './instance-actor.ts';
import { Jobs } from './jobs.ts';
import { InstanceRecord, Records } from './records.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { ensureVolume } from './volume.ts';

export function createRunner(context: RunnerContext): Runner & LogOwner {
  return new NodeRunner(context);
}

/** Who must be told when a log file was renamed. */
export interface LogOwner {
  isWriting(instanceId: string): boolean;
  reopenLog(instanceId: string): Promise<void>;
}

class NodeRunner implements Runner, LogOwner {
  readonly #context: RunnerContext;
  readonly #records: Records<InstanceRecord>;
  readonly #jobs: Jobs;
  readonly #actors = new Map<string, InstanceActor>();
  readonly #recovered = new Map<string, InstanceRecord>();
  readonly #listeners: ((instance: ObservedInstance) => void)[] = [];

  constructor(context: RunnerContext) {
    this.#context = context;
    this.#records = new Records(join(context.paths.data, 'instances'), InstanceRecord);
    this.#jobs = new Jobs(context);
  }

  async recover(): Promise<void> {
    const ids = await this.#records.ids();
    const records = await Promise.all(ids.map((id) => this.#records.read(id)));
    for (const record of records) {
      if (record) this.#recovered.set(record.instanceId, record);
    }
    const known = new Set([
      ...records.flatMap((record) => (record?.sandbox ? [record.sandbox.id] : [])),
      ...(await this.#jobs.sandboxIds()),
    ]);
    await this.#context.sandbox.sweep((id) => known.has(id));
  }

  apply(desired: readonly InstanceSpec[]): void {
    const wanted = new Set(desired.map((spec) => spec.instanceId));
    for (const spec of desired) {
      const actor = this.#actors.get(spec.instanceId);
      if (actor) actor.update(spec);
      else this.#begin(spec);
    }
    for (const [instanceId, actor] of this.#actors) {
      if (!wanted.has(instanceId)) actor.end();
    }
    for (const record of this.#recovered.values()) void this.#removeUnwanted(record);
    this.#recovered.clear();
  }

  observe(): readonly ObservedInstance[] {
    return [...this.#actors.values()].map((actor) => actor.observed());
  }

  onChange(listener: (instance: ObservedInstance) => void): void {
    this.#listeners.push(listener);
  }

  async runJob(spec: JobSpec, signal: AbortSignal): Promise<JobResult> {
    return await this.#jobs.run(spec, signal);
  }

  async runAttached(spec: JobSpec, session: AttachedSession): Promise<number> {
    await ensureVolume(this.#context, spec);
    const sandbox = sandboxSpec(spec, { sandboxId: spec.jobId, paths: this.#context.paths });
    const exit = await this.#context.sandbox.runAttached(sandbox, session);
    return exit.code;
  }

  async forgetJob(jobId: string): Promise<void> {
    await this.#jobs.forget(jobId);
  }

  async volumeUse(appId: number): Promise<VolumeUse | undefined> {
    return await this.#context.volumes.use(appId);
  }

  async removeVolume(appId: number): Promise<void> {
    await this.#context.volumes.remove(appId);
  }

  noteServed(instanceId: string): void {
    this.#actors.get(instanceId)?.noteServed();
  }

  isWriting(instanceId: string): boolean {
    // The balancers' request lines have a writer that notices a rename by itself.
    return (
      this.#actors.has(instanceId) || this.#jobs.isRunning(instanceId) || instanceId === 'balancer'
    );
  }

  async reopenLog(instanceId: string): Promise<void> {
    await this.#actors.get(instanceId)?.reopenLog();
  }

  async close(): Promise<void> {
    this.#listeners.length = 0;
  }

  /** Left by a previous agent, and nobody wants it any more. */
  async #removeUnwanted(record: InstanceRecord): Promise<void> {
    const process = record.sandbox && (await this.#context.sandbox.adopt(record.sandbox));
    await process?.remove();
    await this.#records.remove(record.instanceId);
  }

  #begin(spec: InstanceSpec): void {
    const actor = new InstanceActor(spec, {
      context: this.#context,
      records: this.#records,
      record: this.#recovered.get(spec.instanceId),
      onChange: (instance) => {
        for (const listener of this.#listeners) listener(instance);
      },
    });
    this.#recovered.delete(spec.instanceId);
    if (spec.desired === 'stopped') actor.end();
    this.#actors.set(spec.instanceId, actor);
    void actor.finished.then(() => this.#actors.delete(spec.instanceId));
  }
}
