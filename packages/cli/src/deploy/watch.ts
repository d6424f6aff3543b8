// Stays with a deploy until its end: tells it, passes on Ctrl-C, and says what came of it. Every
// command that makes a release ends here.
import {
  TandemError,
  type DeployEvent,
  type DeployStarted,
  type DeployStatus,
} from '@tandem/protocol';
import type { Connection } from '../connection/connection.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { followDeploy } from './follow.ts';
import { Narrator } from './narrator.ts';

type Finished = Extract<DeployEvent, { type: 'finished' }>;

export interface WatchOptions {
  /** Print the events as they come instead of one document at the end. */
  readonly events?: boolean;
  /** Return at once. */
  readonly detach?: boolean;
  /** Fields for the final document, beside those of the deploy. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export async function watchDeploy(
  session: Session,
  started: DeployStarted,
  options: WatchOptions = {},
): Promise<number> {
  const { output } = session;
  const connection = await session.connect();
  if (options.detach) {
    output.document({ ...options.extra, ...started });
    output.line('Started', `deploy ${started.deploy}; follow it: ${followCommand(started)}`);
    return EXIT.ok;
  }
  const finished = await followToEnd(session, connection, started, options);
  output.settle();
  if (finished === undefined) return detached(session, started, options);
  return await conclude(session, connection, finished, options);
}

/** Undefined when the user has detached. */
async function followToEnd(
  session: Session,
  connection: Connection,
  started: DeployStarted,
  options: WatchOptions,
): Promise<Finished | undefined> {
  const { output } = session;
  const narrator = new Narrator(output);
  const detach = new AbortController();
  using _ctrlC = session.interrupts.take(cancelOrDetach(session, connection, started, detach));
  const onAway = (sinceMs: number | undefined): void => {
    if (sinceMs === undefined) output.settle();
    else output.live('Waiting', 'for the platform to come back', sinceMs);
  };
  const events = followDeploy(connection, started, { signal: detach.signal, onAway });
  for await (const event of events) {
    if (options.events) output.record(event);
    else narrator.tell(event);
    if (event.type !== 'finished') continue;
    output.settle();
    if (event.status.state === 'failed' && event.status.error?.where === undefined) {
      narrator.tellLastLines();
    }
    return event;
  }
  return undefined;
}

function cancelOrDetach(
  session: Session,
  { client }: Connection,
  { app, deploy }: DeployStarted,
  detach: AbortController,
): () => void {
  let presses = 0;
  return () => {
    presses += 1;
    if (presses > 1) return detach.abort();
    session.output.line(
      'Cancel',
      'asked for; waiting for it (Ctrl-C again: leave the deploy running)',
    );
    client.cancelDeploy(app, deploy).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      session.output.note(`The deploy could not be cancelled: ${reason}`);
      presses = 0;
    });
  };
}

function detached(session: Session, started: DeployStarted, options: WatchOptions): number {
  if (!options.events) session.output.document({ ...options.extra, ...started, state: 'running' });
  session.output.line('Detached', `the deploy goes on; follow it: ${followCommand(started)}`);
  return EXIT.interrupted;
}

function followCommand({ app, deploy }: DeployStarted): string {
  return `tandem deploys ${deploy} --follow -a ${app}`;
}

async function conclude(
  session: Session,
  { client }: Connection,
  finished: Finished,
  options: WatchOptions,
): Promise<number> {
  const { output } = session;
  const { status, urls, next } = finished;
  const totalMs = Math.round(session.elapsedMs);
  if (status.state === 'live') {
    if (!options.events) output.document({ ...options.extra, ...status, urls, next, totalMs });
    output.line('Live', [...releaseName(status), ...urls].join(' '), totalMs);
    for (const [index, command] of next.entries()) output.line(index === 0 ? 'Next' : '', command);
    return EXIT.ok;
  }
  const serving = await client.getApp(status.app).then(
    (app) => app.release,
    () => undefined,
  );
  if (!options.events) {
    output.document({ ...options.extra, ...status, serving: serving ?? null, totalMs });
  }
  const consequence = describeConsequence(status.release, serving);
  if (status.state === 'cancelled') {
    output.line('Cancelled', consequence, totalMs);
    return EXIT.interrupted;
  }
  const error = status.error
    ? TandemError.fromBody(status.error as never)
    : new TandemError('INTERNAL', 'The deploy ended without a reason.');
  if (!output.json) output.failure(error, consequence);
  return exitCodeOf(error);
}

/** `v8 not released; v7 serves` */
function describeConsequence(release: number | undefined, serving: number | undefined): string {
  const lost = release === undefined ? 'Nothing was released' : `v${release} not released`;
  return `${lost}; ${serving === undefined ? 'nothing serves yet' : `v${serving} serves`}`;
}

/** Scaling and a restart have no release of their own. */
function releaseName({ release }: DeployStatus): string[] {
  return release === undefined ? [] : [`v${release}`];
}
