// One deploy from its current phase to its end. The document in the store is the state machine:
// every step is written before and after, so a killed agent's successor goes on from there.
import { TandemError, toTandemError } from '@tandem/protocol';
import type { AppDocument, DeployDocument } from '../documents/schemas.ts';
import { concludeDeploy } from './conclude-deploy.ts';
import type { DeployRunOptions } from './deploy-run-options.ts';
import type { Phase, PhaseInput } from './phase.ts';
import { buildPhase } from './phases/build.ts';
import { migratePhase } from './phases/migrate.ts';
import { releasePhase } from './phases/release.ts';
import { startPhase } from './phases/start.ts';
import { switchPhase } from './phases/switch.ts';
import { undoDeploy } from './undo-deploy.ts';

const PHASES: readonly Phase[] = [buildPhase, releasePhase, migratePhase, startPhase, switchPhase];

export class DeployRun {
  readonly #options: DeployRunOptions;
  readonly #cancel = new AbortController();
  /** Resolves at the end, whatever that is. */
  readonly finished: Promise<void>;

  constructor(options: DeployRunOptions) {
    this.#options = options;
    this.finished = this.#run();
  }

  /** Takes effect at the next wait before the switch; after it there is nothing to cancel. */
  cancel(): void {
    this.#cancel.abort(new TandemError('CANCELLED', 'the deploy was cancelled'));
  }

  async #run(): Promise<void> {
    try {
      await this.#phases();
      await concludeDeploy(this.#options, 'live');
    } catch (thrown) {
      await this.#failed(thrown);
    }
  }

  async #phases(): Promise<void> {
    let { app, deploy } = await this.#read();
    if (deploy.cancelRequested) this.cancel();
    for (const phase of PHASES.slice(firstPhase(deploy))) {
      if (phase.name !== 'switch') this.#cancel.signal.throwIfAborted();
      const { context, appId, number } = this.#options;
      await context.repository.modifyDeploy(appId, number, (document) => ({
        ...document,
        phase: phase.name,
      }));
      await this.#runPhase(phase, app, deploy);
      ({ app, deploy } = await this.#read());
    }
  }

  async #runPhase(phase: Phase, app: AppDocument, deploy: DeployDocument): Promise<void> {
    const { context, keeper, routes, events, builds, appId, number } = this.#options;
    const input: PhaseInput = {
      context,
      keeper,
      routes,
      app,
      deploy,
      events,
      signal: this.#cancel.signal,
    };
    events.emit({ type: 'phase', phase: phase.name, state: 'started', detail: '' });
    if (phase.name === 'build' && builds.isBusy('node')) {
      const detail = 'waits: another app is being built';
      events.emit({ type: 'phase', phase: phase.name, state: 'progress', detail });
    }
    const beganMs = context.clock.monotonicMs();
    const outcome =
      phase.name === 'build'
        ? await builds.run('node', () => phase.run(input))
        : await phase.run(input);
    const ms = Math.round(context.clock.monotonicMs() - beganMs);
    await context.repository.modifyDeploy(appId, number, (document) => ({
      ...document,
      ...outcome.patch,
      phasesMs: { ...document.phasesMs, [phase.name]: ms },
    }));
    const state = outcome.skipped ? 'skipped' : 'done';
    events.emit({ type: 'phase', phase: phase.name, state, detail: outcome.detail, ms });
  }

  async #failed(thrown: unknown): Promise<void> {
    const cancelled = this.#cancel.signal.aborted;
    const error = cancelled ? toTandemError(this.#cancel.signal.reason) : toTandemError(thrown);
    const { context, events } = this.#options;
    if (error.kind === 'system') context.report('a deploy failed', thrown);
    try {
      const { deploy } = await this.#read();
      const detail = error.message;
      events.emit({ type: 'phase', phase: deploy.phase, state: 'failed', detail });
      await undoDeploy(this.#options);
      await concludeDeploy(this.#options, cancelled ? 'cancelled' : 'failed', error);
    } catch (failure) {
      context.report('a failed deploy could not be undone; it is tried again at start', failure);
    }
  }

  async #read(): Promise<{ app: AppDocument; deploy: DeployDocument }> {
    const { context, appId, number } = this.#options;
    const app = await context.repository.app(appId);
    const deploy = await context.repository.deploy(appId, number);
    if (!app || !deploy) throw new TandemError('CANCELLED', 'the app was destroyed');
    return { app: app.value, deploy: deploy.value };
  }
}

function firstPhase(deploy: DeployDocument): number {
  // The image of a rollback, config change ... is taken from its release by the build phase.
  if (deploy.image === undefined) return 0;
  const index = PHASES.findIndex((phase) => phase.name === deploy.phase);
  return Math.max(index, 0);
}
