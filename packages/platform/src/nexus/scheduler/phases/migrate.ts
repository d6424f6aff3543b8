// The schema moves once, from the new image, before any new instance starts. A migration job has
// the deploy's own id: an agent that was killed meanwhile joins it and never starts a second one.
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { instanceAddresses } from '../../../domain/installation.ts';
import { jobMemoryBytes } from '../../../domain/formation.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { JobResult } from '../../../ports/runner.ts';
import type { NexusContext } from '../../context.ts';
import type { AppDocument, ReleaseDocument } from '../../documents/schemas.ts';
import { jobSpec } from '../../process-specs.ts';
import { credentialsOf } from '../../services.ts';
import { explainJob, type FailedJob } from '../explain-job.ts';
import { namedCommand } from '../named-commands.ts';
import type { Phase, PhaseInput, PhaseOutcome } from '../phase.ts';

const JOB_TIMEOUT_MS = 30 * 60_000;
const MEBIBYTE = 1024 * 1024;
const MIGRATE_COMMAND = 'python -m tandem_runtime.migrate';

/** Written by tandem_runtime.migrate to /run/tandem/result. */
const MigrateResult = v.object({
  applied: v.array(v.string()),
  newly: v.array(v.string()),
  error: v.optional(
    v.object({
      migration: v.optional(v.nullable(v.string())),
      message: v.string(),
      sql: v.optional(v.nullable(v.string())),
      where: v.optional(v.nullable(v.string())),
    }),
  ),
});
type MigrateResult = v.InferOutput<typeof MigrateResult>;

export const migratePhase: Phase = {
  name: 'migrate',
  async run(input) {
    const { deploy, app, context } = input;
    if (deploy.kind !== 'deploy' || deploy.release === undefined) {
      return { detail: 'not needed', skipped: true };
    }
    const release = await context.repository.release(app.id, deploy.release);
    if (!release) throw new Error(`release v${deploy.release} is gone`);
    const migrated = await migrateDjango(input, release.value);
    const ran = await runReleaseCommands(input, release.value);
    const details = [migrated?.detail, ran].filter((detail) => detail !== undefined);
    if (details.length === 0) return { detail: 'nothing to do', skipped: true };
    return {
      detail: details.join('; '),
      ...(migrated?.patch ? { patch: migrated.patch } : {}),
    };
  },
};

async function migrateDjango(
  input: PhaseInput,
  release: ReleaseDocument,
): Promise<PhaseOutcome | undefined> {
  const { image } = release;
  if (image.framework !== 'django' || !image.migrations?.length) return undefined;
  const applied = await appliedMigrations(input.context, input.app);
  if (image.needsDatabase && applied && image.migrations.every((name) => applied.has(name))) {
    return {
      detail: 'nothing to apply',
      patch: { migrationsApplied: [...applied].toSorted() },
    };
  }
  const sinceMs = input.context.clock.nowMs();
  const job = await runJob(input, release, 'migrate', MIGRATE_COMMAND);
  const result = parseResult(job);
  if (job.exitCode !== 0 || !result || result.error) {
    const symptom = migrationError(input, job, result);
    // What a migration does wrong is said by its own error.
    const isOwn = symptom.code !== 'MIGRATION_FAILED' || job.timedOut || result?.error?.migration;
    throw isOwn ? symptom : await explained(input, { release, sinceMs, symptom });
  }
  return {
    detail: `${result.newly.length} applied`,
    patch: { migrationsApplied: result.applied.toSorted() },
  };
}

async function appliedMigrations(
  context: NexusContext,
  app: AppDocument,
): Promise<Set<string> | undefined> {
  const credentials = await credentialsOf(context, context.database, app.id);
  if (!credentials) return undefined;
  const names = await context.database.appliedMigrations(credentials);
  return names && new Set(names);
}

async function runReleaseCommands(
  input: PhaseInput,
  release: ReleaseDocument,
): Promise<string | undefined> {
  const commands = release.image.releaseCommands;
  for (const [index, command] of commands.entries()) {
    input.events.emit({ type: 'phase', phase: 'migrate', state: 'progress', detail: command });
    const sinceMs = input.context.clock.nowMs();
    const job = await runJob(input, release, `release-${index + 1}`, command);
    if (job.exitCode === 0) continue;
    const symptom = releaseCommandError(input, release, command, job);
    const isKnown = job.outOfMemory || job.timedOut;
    throw isKnown ? symptom : await explained(input, { release, sinceMs, symptom });
  }
  return commands.length === 0 ? undefined : `${commands.length} release commands`;
}

async function explained(input: PhaseInput, job: FailedJob): Promise<TandemError> {
  return TandemError.fromBody(await explainJob(input, job));
}

async function runJob(
  input: PhaseInput,
  release: ReleaseDocument,
  name: string,
  command: string,
): Promise<JobResult> {
  const { context, app, deploy, signal } = input;
  const address = await context.repository.takeAddresses(1);
  const spec = await jobSpec(context, app, release, {
    memoryBytes: jobSize(input),
    jobId: `j${app.id}-d${deploy.number}-${name}`,
    processName: 'release',
    command,
    ...instanceAddresses(context.installation, address),
    timeoutMs: JOB_TIMEOUT_MS,
  });
  return await context.runner.runJob(spec, signal);
}

function jobSize({ app, deploy }: PhaseInput): number {
  return jobMemoryBytes(deploy.formation ?? app.formation, LIMITS.instance.memoryBytes);
}

function parseResult(job: JobResult): MigrateResult | undefined {
  try {
    const parsed = v.safeParse(MigrateResult, JSON.parse(job.result));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function logHint({ app, deploy }: PhaseInput): string {
  return `tandem logs -a ${app.name} --release v${deploy.release} -p release`;
}

function migrationError(
  input: PhaseInput,
  job: JobResult,
  result: MigrateResult | undefined,
): TandemError {
  const log = logHint(input);
  if (job.outOfMemory) return jobOutOfMemory(input, 'the migration', log);
  if (job.timedOut) {
    return new TandemError('MIGRATION_FAILED', 'the migration outlasted 30 minutes', { log });
  }
  const name = result?.error?.migration ? `migration ${result.error.migration}` : 'the migration';
  const said = result?.error?.message ?? `it ended with exit status ${job.exitCode}`;
  const sql = result?.error?.sql ? `\nSQL: ${result.error.sql}` : '';
  return new TandemError('MIGRATION_FAILED', `${name} failed: ${said}${sql}`, {
    where: result?.error?.where ?? undefined,
    hint: `mend the migration, then: tandem deploy -a ${input.app.name}`,
    log,
  });
}

function releaseCommandError(
  input: PhaseInput,
  { image }: ReleaseDocument,
  command: string,
  job: JobResult,
): TandemError {
  const log = logHint(input);
  if (job.outOfMemory) return jobOutOfMemory(input, `"${command}"`, log);
  const ended = job.timedOut ? 'outlasted 30 minutes' : `ended with exit status ${job.exitCode}`;
  return new TandemError('RELEASE_COMMAND_FAILED', `release command "${command}" ${ended}`, {
    where: namedCommand(image, 'release'),
    hint: `mend what its log says, then: tandem deploy -a ${input.app.name}`,
    log,
  });
}

function jobOutOfMemory(input: PhaseInput, what: string, log: string): TandemError {
  const { app } = input;
  const mebibytes = Math.round(jobSize(input) / MEBIBYTE);
  return new TandemError(
    'OUT_OF_MEMORY',
    `${what} was killed: it reached its memory limit of ${mebibytes} MiB`,
    {
      hint: `tandem scale -a ${app.name} web=:${mebibytes * 2}M     (jobs get the largest size)\ntandem deploy --retry -a ${app.name}     (no rebuild)`,
      log,
    },
  );
}
