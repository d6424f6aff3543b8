// `tandem explain`: why a deploy failed, or what is wrong with what runs, with the lines of the log
// that led to it. What the deploy recorded stands; its log is read again for the evidence.
import { TandemError, type ErrorBody, type Explanation } from '@tandem/protocol';
import { examine, type DiagnosisInput } from '../../domain/diagnosis/diagnose.ts';
import type { ControlBackend, ExplainQuery } from '../control/backend.ts';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import { hostnamesOf } from '../process-specs.ts';
import { readTail, type LogFilter } from '../scheduler/log-tail.ts';
import type { OperationsContext } from './context.ts';
import { viewProcess } from './processes.ts';
import { knownOf, othersThan, troubledInstance } from './troubled-instance.ts';

const PROBED = /^(PROBE_|HOST_REFUSED|HTTPS_|UNRESPONSIVE)/;

export function explainOperations(context: OperationsContext): Pick<ControlBackend, 'explain'> {
  return {
    async explain(name, about) {
      const app = await context.repository.appByName(name);
      const [processes, told] = await Promise.all([
        processesOf(context, app),
        explain(context, app, about),
      ]);
      return { app: app.name, candidates: [], lines: [], ...told, processes };
    },
  };
}

export type Told = Pick<Explanation, 'subject' | 'state' | 'summary'> &
  Partial<Pick<Explanation, 'cause' | 'lines' | 'candidates'>>;

async function explain(
  context: OperationsContext,
  app: AppDocument,
  about: ExplainQuery,
): Promise<Told> {
  if (about.deploy !== undefined) return await aboutDeploy(context, app, about.deploy);
  if (about.release !== undefined) return await aboutRelease(context, app, about.release);
  const deploys = await context.repository.deploys(app.id);
  const newest = deploys.toSorted((a, b) => b.number - a.number)[0];
  if (newest === undefined) {
    const summary = `"${app.name}" was never deployed: tandem deploy -a ${app.name}`;
    return { subject: app.name, state: 'empty', summary };
  }
  if (newest.state === 'failed') return await failedDeploy(context, app, newest);
  return (await troubledInstance(context, app)) ?? plainDeploy(app, newest);
}

async function aboutDeploy(
  context: OperationsContext,
  app: AppDocument,
  number: number,
): Promise<Told> {
  const deploy = await context.repository.deploy(app.id, number);
  if (!deploy) {
    throw new TandemError('DEPLOY_NOT_FOUND', `app "${app.name}" has no deploy d${number}`, {
      hint: `tandem deploys -a ${app.name}`,
    });
  }
  return deploy.value.state === 'failed'
    ? await failedDeploy(context, app, deploy.value)
    : plainDeploy(app, deploy.value);
}

async function aboutRelease(
  context: OperationsContext,
  app: AppDocument,
  number: number,
): Promise<Told> {
  const release = await context.repository.release(app.id, number);
  // Nothing is kept of a release that never went live, but its deploy names it.
  const deploys = await context.repository.deploys(app.id);
  const maker = deploys.find((deploy) => deploy.makesRelease && deploy.release === number);
  if (!release && maker !== undefined) return await aboutDeploy(context, app, maker.number);
  if (!release) {
    throw new TandemError('RELEASE_NOT_FOUND', `app "${app.name}" has no release v${number}`, {
      hint: `tandem releases -a ${app.name}`,
    });
  }
  if (release.value.state !== 'live') return await aboutDeploy(context, app, release.value.deploy);
  const subject = `v${number}`;
  if (number !== app.currentRelease) {
    return {
      subject,
      state: 'ended',
      summary: `${subject} was live; v${app.currentRelease} is now.`,
    };
  }
  const troubled = await troubledInstance(context, app);
  return (
    troubled ?? { subject, state: 'live', summary: `${subject} is live and runs as it should.` }
  );
}

function plainDeploy({ name, currentRelease }: AppDocument, deploy: DeployDocument): Told {
  const subject = `d${deploy.number}`;
  const { state, phase } = deploy;
  if (state === 'running') {
    return { subject, state, summary: `Deploy ${subject} is under way: ${phase}.` };
  }
  const serves = currentRelease === undefined ? 'nothing serves' : `v${currentRelease} serves`;
  const summary =
    state === 'live'
      ? `The last deploy of "${name}", ${subject}, succeeded; ${serves}.`
      : `Deploy ${subject} of "${name}" was cancelled in ${phase}; ${serves}.`;
  return { subject, state, summary };
}

async function failedDeploy(
  context: OperationsContext,
  app: AppDocument,
  deploy: DeployDocument,
): Promise<Told> {
  const { number, phase, error, image } = deploy;
  const cause = error ?? { code: 'INTERNAL', message: 'nothing was recorded of its end' };
  const input = { ...inputOf(context, app, deploy, cause as ErrorBody), ...knownOf(image) };
  const lines = await readTail(context, app, logOf(deploy));
  const diagnosis = examine({ ...input, logTail: lines.join('\n') });
  const serves =
    app.currentRelease === undefined ? 'nothing serves' : `v${app.currentRelease} serves`;
  return {
    subject: `d${number}`,
    state: 'failed',
    summary: `Deploy d${number} of "${app.name}" failed in ${phase}; ${serves}.`,
    cause,
    lines: [...diagnosis.lines],
    candidates: othersThan(cause.code, diagnosis),
  };
}

/** A build wrote under the deploy's name; jobs and instances under that of the release. */
function logOf({ number, phase, release, fromRelease, startedAtMs }: DeployDocument): LogFilter {
  const ran = release ?? fromRelease;
  const isBuild = phase === 'upload' || phase === 'detect' || phase === 'build';
  if (isBuild || ran === undefined) return { release: `d${number}` };
  const job = phase === 'migrate' ? { process: 'release' } : {};
  return { release: `v${ran}`, sinceMs: startedAtMs, ...job };
}

function inputOf(
  context: OperationsContext,
  app: AppDocument,
  { phase }: DeployDocument,
  symptom: ErrorBody,
): Omit<DiagnosisInput, 'logTail'> {
  const isBuild = phase === 'build' || phase === 'detect';
  const started = PROBED.test(symptom.code) ? 'probe' : 'start';
  const host = hostnamesOf(context, app)[0];
  return {
    phase: isBuild ? 'build' : started,
    symptom,
    ...(host === undefined ? {} : { host }),
  };
}

async function processesOf(
  context: OperationsContext,
  app: AppDocument,
): Promise<Explanation['processes']> {
  const instances = await context.repository.instances(app.id);
  return (
    instances
      // Where they are is no part of why.
      .map((instance) => viewProcess(context, instance, undefined))
      .map(({ name, release, state, restarts, reason }) => ({
        name,
        release,
        state,
        restarts,
        ...(reason === undefined ? {} : { reason }),
      }))
      .toSorted((a, b) => a.name.localeCompare(b.name))
  );
}
