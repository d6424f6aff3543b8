// A process that crashes again and again or does not answer, explained by its log.
import type { ErrorBody } from '@tandem/protocol';
import { examine, type Diagnosis, type DiagnosisInput } from '../../domain/diagnosis/diagnose.ts';
import type { BuiltImage } from '../../domain/release.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';
import { readTail } from '../scheduler/log-tail.ts';
import { namedCommand, settingsModuleOf } from '../scheduler/named-commands.ts';
import type { OperationsContext } from './context.ts';
import type { Told } from './explanation.ts';

/** The first process that does not run as it should, with what its log says. */
export async function troubledInstance(
  context: OperationsContext,
  app: AppDocument,
): Promise<Told | undefined> {
  const instances = await context.repository.instances(app.id);
  const troubled = instances.find((one) => one.desired === 'running' && isTroubled(context, one));
  const observed = troubled && context.keeper.observed(troubled.instanceId);
  if (troubled === undefined || observed === undefined) return undefined;
  const name = `${troubled.processType}.${troubled.index}`;
  const what = observed.reason ?? observed.state;
  const code = observed.state === 'unresponsive' ? 'UNRESPONSIVE' : 'CRASH_LOOP';
  const symptom = observed.error ?? ({ code, message: `${name}: ${what}` } as const);
  const release = await context.repository.release(app.id, troubled.release);
  const lines = await readTail(context, app, { process: name, release: `v${troubled.release}` });
  const diagnosis = examine({
    phase: observed.state === 'unresponsive' ? 'probe' : 'start',
    symptom,
    logTail: lines.join('\n'),
    memoryBytes: troubled.memoryBytes,
    exit: { code: 0, outOfMemory: symptom.code === 'OUT_OF_MEMORY' },
    ...knownOf(release?.value.image, troubled.processType),
  });
  const log = `tandem logs -a ${app.name} --release v${troubled.release} -p ${name}`;
  const cause = { ...(diagnosis.cause ?? symptom), log };
  return {
    subject: name,
    state: 'unhealthy',
    summary: `${name} of v${troubled.release} is ${observed.state}: ${what}.`,
    cause,
    lines: [...diagnosis.lines],
    candidates: othersThan(cause.code, diagnosis),
  };
}

function isTroubled({ keeper }: OperationsContext, { instanceId }: InstanceDocument): boolean {
  const state = keeper.observed(instanceId)?.state;
  return state === 'backoff' || state === 'failed' || state === 'unresponsive';
}

/** What the image tells of its app. */
export function knownOf(
  image: BuiltImage | undefined,
  processType = 'web',
): Partial<DiagnosisInput> {
  if (image === undefined) return {};
  const settingsModule = settingsModuleOf(image);
  const command = namedCommand(image, processType);
  return {
    pythonVersion: image.pythonVersion,
    ...(settingsModule === undefined ? {} : { settingsModule }),
    ...(command === undefined ? {} : { command }),
  };
}

/** Other causes that the evidence allows. */
export function othersThan(code: string, { cause, candidates }: Diagnosis): ErrorBody[] {
  const all = [...(cause === undefined ? [] : [cause]), ...candidates];
  return all.filter((one) => one.code !== code);
}
