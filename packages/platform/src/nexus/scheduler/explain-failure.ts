// The true cause of a failed start: what the process wrote decides, the outcome of the probe is only
// the symptom.
import { TandemError, type ErrorBody } from '@tandem/protocol';
import { diagnose } from '../../domain/diagnosis/diagnose.ts';
import type { BuiltImage } from '../../domain/release.ts';
import { hostnamesOf } from '../process-specs.ts';
import type { InstanceDocument } from '../documents/schemas.ts';
import { readTail } from './log-tail.ts';
import { namedCommand, settingsModuleOf } from './named-commands.ts';
import type { PhaseInput } from './phase.ts';

const QUOTED_CHARACTERS_MAX = 200;

export async function explainFailure(
  input: PhaseInput,
  instanceId: string,
  symptom: TandemError,
): Promise<TandemError> {
  const { context, app } = input;
  const instance = (await context.repository.instances(app.id)).find(
    (candidate) => candidate.instanceId === instanceId,
  );
  const release = instance && (await context.repository.release(app.id, instance.release));
  if (!instance || !release) return symptom;
  const process = `${instance.processType}.${instance.index}`;
  const log = `tandem logs -a ${app.name} --release v${instance.release} -p ${process}`;
  if (symptom.code === 'OUT_OF_MEMORY') return withRetry(input, symptom);
  const { image } = release.value;
  const filter = { process, release: `v${instance.release}`, sinceMs: input.deploy.startedAtMs };
  const lines = await readTail(context, app, filter);
  const cause = causeOf(input, { instance, image, symptom, lines });
  const named = namedCommand(image, instance.processType);
  const body: ErrorBody = cause ?? symptomWithLastLine(symptom, lines);
  return TandemError.fromBody({
    ...body,
    where: body.where ?? (isAboutCommand(body) ? named : undefined),
    hint: body.hint ?? `mend what the log says, then: tandem deploy -a ${app.name}`,
    log: body.log ?? log,
  });
}

interface Evidence {
  readonly instance: InstanceDocument;
  readonly image: BuiltImage;
  readonly symptom: TandemError;
  readonly lines: readonly string[];
}

function causeOf(
  { context, app }: PhaseInput,
  { instance, image, symptom, lines }: Evidence,
): ErrorBody | undefined {
  const settingsModule = settingsModuleOf(image);
  const command = namedCommand(image, instance.processType);
  return diagnose({
    phase: symptom.code === 'CRASHED_AT_START' ? 'start' : 'probe',
    symptom: symptom.toBody(),
    logTail: lines.join('\n'),
    host: hostnamesOf(context, app)[0] ?? '',
    memoryBytes: instance.memoryBytes,
    pythonVersion: image.pythonVersion,
    ...(settingsModule === undefined ? {} : { settingsModule }),
    ...(command === undefined ? {} : { command }),
  });
}

/** `scale` moves what serves now; the release that failed is not built again. */
function withRetry({ app }: PhaseInput, symptom: TandemError): TandemError {
  if (app.currentRelease === undefined) return symptom;
  const retry = `tandem deploy --retry -a ${app.name}     (no rebuild)`;
  return TandemError.fromBody({ ...symptom.toBody(), hint: `${symptom.hint}\n${retry}` });
}

function isAboutCommand({ code }: ErrorBody): boolean {
  return ['CRASHED_AT_START', 'PORT_NOT_BOUND', 'PORT_LOCALHOST_ONLY'].includes(code);
}

function symptomWithLastLine(symptom: TandemError, lines: readonly string[]): ErrorBody {
  const body = symptom.toBody();
  if (symptom.code !== 'CRASHED_AT_START') return body;
  const last = lines.findLast((line) => line.trim() !== '' && !line.startsWith('tandem: '));
  const said = last
    ? `, after "${last.trim().slice(0, QUOTED_CHARACTERS_MAX)}"`
    : ' and wrote nothing';
  return { ...body, message: `${body.message}${said}` };
}
