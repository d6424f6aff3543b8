// The true cause of a failed start: what the process wrote decides, the outcome of the probe is only
// the symptom.
import { TandemError } from '@tandem/protocol';
import { diagnose } from '../../domain/diagnosis/diagnose.ts';
import { appLogsDirectory, hostnamesOf } from '../process-specs.ts';
import type { PhaseInput } from './phase.ts';

const TAIL_LINES = 200;
const READ_TIMEOUT_MS = 3_000;

export async function explainFailure(
  input: PhaseInput,
  instanceId: string,
  symptom: TandemError,
): Promise<TandemError> {
  const { context, app, deploy } = input;
  const instance = (await context.repository.instances(app.id)).find(
    (candidate) => candidate.instanceId === instanceId,
  );
  if (!instance) return symptom;
  const process = `${instance.processType}.${instance.index}`;
  const release = `v${instance.release}`;
  const log = `tandem logs -a ${app.name} --release ${release} -p ${process}`;
  const logTail = await readTail(input, process, release, deploy.startedAtMs);
  const cause = diagnose({
    phase: symptom.code === 'CRASHED_AT_START' ? 'start' : 'probe',
    logTail,
    host: hostnamesOf(context, app)[0] ?? '',
    memoryBytes: instance.memoryBytes,
  });
  const body = cause ?? symptom.toBody();
  return TandemError.fromBody({ ...body, log: body.log ?? log });
}

async function readTail(
  { context, app }: PhaseInput,
  process: string,
  release: string,
  sinceMs: number,
): Promise<string> {
  const lines: string[] = [];
  const request = {
    directory: appLogsDirectory(context, app.id),
    filter: { process, release, sinceMs },
    tail: TAIL_LINES,
    follow: false,
    signal: AbortSignal.timeout(READ_TIMEOUT_MS),
  };
  try {
    for await (const line of context.readLogs(request)) lines.push(line.text);
  } catch (error) {
    context.report('the log of a failed instance could not be read', error);
  }
  return lines.join('\n');
}
