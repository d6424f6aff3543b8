// What the next agent must know to adopt what this one started: one small JSON file per instance or
// job, written before its process can do anything.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { SandboxRecord } from '../ports/sandbox.ts';

const SandboxRecordSchema = v.custom<SandboxRecord>(
  (value) => typeof value === 'object' && value !== null && 'bootId' in value && 'pid' in value,
);

export const InstanceRecord = v.object({
  schemaVersion: v.literal(1),
  instanceId: v.string(),
  /** Sandbox ids are never used twice: `<instanceId>-<attempt>`. */
  attempt: v.number(),
  sandbox: v.optional(SandboxRecordSchema),
  /** Set once the probe passed; an adopted instance is ready at once. */
  address: v.optional(v.string()),
  ready: v.boolean(),
  restarts: v.number(),
  startedAtMs: v.number(),
});
export type InstanceRecord = v.InferOutput<typeof InstanceRecord>;

export const JobRecord = v.object({
  schemaVersion: v.literal(1),
  jobId: v.string(),
  startedAtMs: v.number(),
  sandbox: v.optional(SandboxRecordSchema),
  result: v.optional(
    v.object({
      exitCode: v.number(),
      outOfMemory: v.boolean(),
      timedOut: v.boolean(),
      result: v.string(),
    }),
  ),
});
export type JobRecord = v.InferOutput<typeof JobRecord>;

export class Records<T extends { readonly schemaVersion: 1 }> {
  readonly #directory: string;
  readonly #schema: v.GenericSchema<unknown, T>;

  constructor(directory: string, schema: v.GenericSchema<unknown, T>) {
    this.#directory = directory;
    this.#schema = schema;
  }

  async write(id: string, record: T): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#path(id), JSON.stringify(record));
  }

  /** Undefined for a missing or unreadable record: then nothing can be adopted, only swept. */
  async read(id: string): Promise<T | undefined> {
    const text = await readFile(this.#path(id), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      const parsed = v.safeParse(this.#schema, JSON.parse(text));
      return parsed.success ? parsed.output : undefined;
    } catch {
      return undefined;
    }
  }

  async ids(): Promise<string[]> {
    const names = await readdir(this.#directory).catch(() => []);
    return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
