// Publishes each app's routes as the documents and the observed instances are now, and only when
// they differ from what was published before.
import {
  appRoutes,
  sameRoutes,
  type AppRoutesInput,
  type ServingInstance,
} from '../../domain/app-routes.ts';
import type { AppRoutes } from '../../domain/route-table.ts';
import type { ObservedInstance } from '../../ports/runner.ts';
import type { NexusContext } from '../context.ts';
import type { AppDocument, InstanceDocument } from '../documents/schemas.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { hostnamesOf } from '../process-specs.ts';

const COMING: ReadonlySet<string> = new Set(['starting', 'backoff', 'unresponsive']);

export class RoutePublisher {
  readonly #context: NexusContext;
  readonly #published = new Map<number, { routes: AppRoutes; epoch: number }>();
  readonly #holds = new Map<number, number>();
  /** Two publications of one app never overtake each other. */
  readonly #mutex = new KeyedMutex();

  constructor(context: NexusContext) {
    this.#context = context;
  }

  /** Requests of this app wait until `untilMs` or `release`; takes effect with `publish`. */
  hold(appId: number, untilMs: number): void {
    this.#holds.set(appId, untilMs);
  }

  release(appId: number): void {
    this.#holds.delete(appId);
  }

  /** The epoch at which balancers know what the documents say now. */
  async publish(appId: number): Promise<number> {
    return await this.#mutex.run(String(appId), async () => {
      const app = await this.#context.repository.app(appId);
      if (!app) return await this.#forget(appId);
      const routes = await this.#routesOf(app.value);
      const before = this.#published.get(appId);
      if (before && sameRoutes(before.routes, routes)) return before.epoch;
      await this.#mountServed(routes);
      const epoch = await this.#context.resolver.setRoutes(routes);
      this.#published.set(appId, { routes, epoch });
      return epoch;
    });
  }

  /** The static server reads them; of a site without processes nobody else does. */
  async #mountServed({ appName, routes }: AppRoutes): Promise<void> {
    const { imageStore, report } = this.#context;
    const layers = routes.flatMap(({ target }) =>
      target.kind === 'static' ? [target.layerSha256] : [],
    );
    for (const sha256 of new Set(layers)) {
      // One app's damaged layer must not keep the routes of all others from being published.
      await imageStore.mount(sha256).catch((error: unknown) => {
        report(`files of "${appName}" cannot be served`, error);
      });
    }
  }

  async #forget(appId: number): Promise<number> {
    this.#published.delete(appId);
    this.#holds.delete(appId);
    return await this.#context.resolver.removeApp(appId);
  }

  async #routesOf(app: AppDocument): Promise<AppRoutes> {
    const { repository, clock } = this.#context;
    const release =
      app.currentRelease === undefined
        ? undefined
        : (await repository.release(app.id, app.currentRelease))?.value;
    const instances = release ? await repository.instances(app.id) : [];
    const policy = release && (await repository.policy(app.id))?.value.policy;
    const holdUntilMs = this.#holds.get(app.id);
    const hostnames = hostnamesOf(this.#context, app);
    return appRoutes({
      appId: app.id,
      appName: app.name,
      hostnames,
      ...this.#secure(hostnames),
      ...(release && app.state === 'active' ? { image: release.image } : {}),
      instances: this.#serving(app, instances),
      ...(policy && { policy }),
      ...(holdUntilMs === undefined ? {} : { holdUntilMs }),
      nowMs: clock.nowMs(),
    });
  }

  #secure(hostnames: readonly string[]): Pick<AppRoutesInput, 'secure'> {
    const { isSecure, installation } = this.#context;
    const { httpsPort: port } = installation;
    const hosts = new Set(hostnames.filter(isSecure));
    return port === undefined || hosts.size === 0 ? {} : { secure: { hosts, port } };
  }

  #serving(app: AppDocument, instances: readonly InstanceDocument[]): ServingInstance[] {
    const observed = new Map(
      this.#context.runner.observe().map((instance) => [instance.instanceId, instance]),
    );
    return instances
      .filter((instance) => isServing(instance, app))
      .map((instance) => servingInstance(instance, observed.get(instance.instanceId)));
  }
}

/** Traffic goes to instances of the current release that have passed a deploy. */
function isServing(instance: InstanceDocument, app: AppDocument): boolean {
  return (
    instance.release === app.currentRelease &&
    instance.processType === 'web' &&
    instance.desired === 'running' &&
    !instance.onProbation
  );
}

function servingInstance(
  instance: InstanceDocument,
  observed: ObservedInstance | undefined,
): ServingInstance {
  const answers = observed?.state === 'ready' || observed?.state === 'unresponsive';
  return {
    instanceId: instance.instanceId,
    coming: observed === undefined || COMING.has(observed.state),
    ...(answers && observed.address !== undefined ? { address: observed.address } : {}),
  };
}
