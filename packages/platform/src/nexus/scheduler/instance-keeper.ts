// Keeps the runner in step with the documents: tells it the desired set, follows what it observes,
// ends drained instances and replaces unresponsive ones. Every step looks at the state again, so a
// missed event costs a delay and nothing else.
import { endedByNewerDrains } from '../../domain/drain.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { InstanceSpec, ObservedInstance } from '../../ports/runner.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';
import { instanceSpec } from '../process-specs.ts';
import { serviceInstances } from '../services.ts';
import { replaceUnresponsive } from './replacement.ts';
import { stopInstance } from './retire-instance.ts';
import type { RoutePublisher } from './route-publisher.ts';

const REFRESH_INTERVAL_MS = 5_000;

export class InstanceKeeper {
  readonly #context: NexusContext;
  readonly #routes: RoutePublisher;
  readonly #applied = new Set<string>();
  readonly #draining = new Set<string>();
  readonly #listeners = new Set<() => void>();
  /** While everything is being ended: all that may still run. */
  #kept: readonly InstanceSpec[] | undefined;
  #refreshing: Promise<void> | undefined;
  #again = false;

  constructor(context: NexusContext, routes: RoutePublisher) {
    this.#context = context;
    this.#routes = routes;
    context.runner.onChange(() => {
      void this.refresh();
    });
  }

  /** Looks again at a steady pace until `signal` fires. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await this.#context.clock.sleep(REFRESH_INTERVAL_MS, signal).catch(() => undefined);
    }
  }

  /** Resolves when the state was looked at after this call. Calls in between are merged. */
  async refresh(): Promise<void> {
    this.#again = true;
    this.#refreshing ??= this.#refreshUntilQuiet().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /**
   * Ends every instance of this node, services last, each with its signal and grace. The documents
   * stay as they are, so the next agent starts everything again.
   */
  async endAll(timeoutMs: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    const { runner, repository } = this.#context;
    const services = await serviceInstances(this.#context, await repository.apps());
    for (const kept of [services, []]) {
      this.#kept = kept;
      const ids = new Set(kept.map((spec) => spec.instanceId));
      await this.refresh();
      await this.waitUntil(
        () => runner.observe().every(({ instanceId }) => ids.has(instanceId)),
        signal,
      ).catch(() => undefined);
    }
  }

  observed(instanceId: string): ObservedInstance | undefined {
    return this.#context.runner.observe().find((instance) => instance.instanceId === instanceId);
  }

  /** Resolves when `condition` holds, looking after every change; rejects when `signal` fires. */
  async waitUntil(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#listeners.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#listeners.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }

  async #refreshUntilQuiet(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#refreshOnce();
      } catch (error) {
        this.#context.report('instances could not be brought up to date', error);
      }
      for (const listener of [...this.#listeners]) listener();
    }
  }

  async #refreshOnce(): Promise<void> {
    const { repository, runner } = this.#context;
    if (this.#kept !== undefined) {
      runner.apply(this.#kept);
      return;
    }
    const apps = await repository.apps();
    const specs: InstanceSpec[] = [];
    const served: AppDocument[] = [];
    for (const app of apps) {
      const own = await this.#specsOf(app);
      specs.push(...own);
      // What is destroyed loses its services after the last process that may use them.
      if (app.state !== 'destroying' || own.length > 0) served.push(app);
    }
    specs.push(...(await serviceInstances(this.#context, served)));
    runner.apply(specs);
    for (const app of apps) await this.#routes.publish(app.id);
  }

  async #specsOf(app: AppDocument): Promise<InstanceSpec[]> {
    const { repository } = this.#context;
    const specs: InstanceSpec[] = [];
    for (const instance of await this.#endOldDrains(app, await repository.instances(app.id))) {
      const release = await repository.release(app.id, instance.release);
      if (!release || this.#isOver(instance)) {
        await this.#forget(app, instance);
        continue;
      }
      specs.push(await instanceSpec(this.#context, app, release.value, instance));
      this.#applied.add(instance.instanceId);
      if (instance.desired === 'draining') this.#endWhenDrained(app, instance);
      if (this.observed(instance.instanceId)?.state === 'unresponsive') {
        await replaceUnresponsive(this.#context, app, instance);
      }
    }
    return specs;
  }

  /** It was to stop, the runner was told, and the runner has nothing of it any more. */
  #isOver(instance: InstanceDocument): boolean {
    const stopped = instance.desired === 'stopped' && this.#applied.has(instance.instanceId);
    return stopped && this.observed(instance.instanceId) === undefined;
  }

  async #forget(app: AppDocument, instance: InstanceDocument): Promise<void> {
    const key = KEYS.instance(app.id, instance.instanceId);
    await this.#context.repository.store.transact([], [{ kind: 'delete', key }]);
    this.#applied.delete(instance.instanceId);
  }

  /** Deploys in a quick row do not pile up instances that wait for their last visitors. */
  async #endOldDrains(
    app: AppDocument,
    instances: readonly InstanceDocument[],
  ): Promise<readonly InstanceDocument[]> {
    const ended = endedByNewerDrains(instances, LIMITS.drain.generationsMax);
    for (const instanceId of ended) await stopInstance(this.#context, app.id, instanceId);
    return ended.length === 0 ? instances : await this.#context.repository.instances(app.id);
  }

  /** Runs beside everything else, once for each draining instance. */
  #endWhenDrained(app: AppDocument, instance: InstanceDocument): void {
    const { instanceId } = instance;
    if (this.#draining.has(instanceId)) return;
    this.#draining.add(instanceId);
    const { clock, resolver, report } = this.#context;
    const leftMs = (instance.drainUntilMs ?? 0) - clock.nowMs();
    const timeoutMs = Math.min(Math.max(leftMs, 0), LIMITS.drain.webSocketMs);
    void resolver
      .waitDrained([instanceId], { timeoutMs })
      .then(() => stopInstance(this.#context, app.id, instanceId))
      .then(() => this.refresh())
      .catch((error: unknown) => {
        report(`${instanceId} could not be drained`, error);
      })
      .finally(() => this.#draining.delete(instanceId));
  }
}
