// Why a job of a release failed: a migration or a release command. Its log says it.
import type { ErrorBody, TandemError } from '@tandem/protocol';
import { diagnose } from '../../domain/diagnosis/diagnose.ts';
import type { ReleaseDocument } from '../documents/schemas.ts';
import { namedCommand, settingsModuleOf } from './named-commands.ts';
import { readTail } from './log-tail.ts';
import type { PhaseInput } from './phase.ts';

/** These say only that something failed, which the job's own error says better. */
const GENERAL = new Set(['IMPORT_FAILED', 'PROBE_STATUS']);

export interface FailedJob {
  readonly release: ReleaseDocument;
  readonly sinceMs: number;
  readonly symptom: TandemError;
}

/** The symptom with its cause; where nothing more is known, the symptom. */
export async function explainJob(
  { context, app }: PhaseInput,
  { release, sinceMs, symptom }: FailedJob,
): Promise<ErrorBody> {
  const filter = { process: 'release', release: `v${release.number}`, sinceMs };
  const settingsModule = settingsModuleOf(release.image);
  const command = namedCommand(release.image, 'release');
  const body = symptom.toBody();
  const cause = diagnose({
    phase: 'start',
    logTail: (await readTail(context, app, filter)).join('\n'),
    symptom: body,
    pythonVersion: release.image.pythonVersion,
    ...(settingsModule === undefined ? {} : { settingsModule }),
    ...(command === undefined ? {} : { command }),
  });
  if (cause === undefined || GENERAL.has(cause.code)) return body;
  const message =
    body.code === 'RELEASE_COMMAND_FAILED' ? `${body.message}: ${cause.message}` : cause.message;
  return { ...body, ...cause, message, where: cause.where ?? body.where };
}
