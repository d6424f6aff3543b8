// A kind of service that apps attach to: one folder in services/, one interface. Whether all apps
// share one server or each has its own is the kind's business: it says what should run for the apps
// that are attached, and the runner holds it like any instance. The caller keeps what `attach`
// returns, sealed, in the store. One contract suite: service-kind.contract.ts.
//
// Later verbs of a kind: backup, restore and upgrade. They join this interface with the issue that
// builds them.
import type { Formation } from '../domain/formation.ts';
import type { InstanceSpec, ServiceLink } from './runner.ts';

export interface ServiceApp {
  readonly appId: number;
  /** What the app will run; decides how much of the service it may take. */
  readonly formation: Formation;
}

/**
 * Plain JSON of strings, secrets in the clear: the caller seals it before it touches a disk. Where a
 * server is the app's own, its address is part of them.
 */
export type ServiceCredentials = Readonly<Record<string, string>>;

export interface ServiceAttachment<Credentials extends ServiceCredentials = ServiceCredentials> {
  readonly appId: number;
  readonly appName: string;
  readonly credentials: Credentials;
}

export interface ServiceHealth {
  readonly healthy: boolean;
  /** For people: "accepts connections", "starting up", "connection refused". */
  readonly detail: string;
}

/**
 * Order of life: `attach`, and the caller keeps the credentials; `instances` of all that is kept are
 * in the node's desired set and make whatever they need on their volumes; `waitUntilHealthy`; the app
 * uses it. A shared server is wanted before any app attaches, and waited for by its own means.
 * To end: `detach`, and the credentials leave the desired set; once what ran is gone, `destroy`.
 *
 * Every method may be called again after a crash at any point and then finishes the work. Methods
 * throw SERVICE_FAILED; all their waits are bounded.
 */
export interface ServiceKind<Credentials extends ServiceCredentials = ServiceCredentials> {
  /** Name of the folder and of the kind: `postgresql`. */
  readonly kind: string;
  /** What the runner shall run, under the same ids for as long as nothing changes. */
  instances(attached: readonly ServiceAttachment<Credentials>[]): readonly InstanceSpec[];
  /** One look at the server that these credentials open; cheap enough to repeat for ever. */
  health(credentials: Credentials): Promise<ServiceHealth>;
  waitUntilHealthy(signal: AbortSignal, credentials: Credentials): Promise<void>;
  /** Name, address and port under which the app's sandboxes reach it. */
  link(credentials: Credentials): ServiceLink;
  /**
   * Gives the app its part of the service and returns the credentials that open it. With
   * `credentials` those stay valid; without (new app, or lost) new ones replace the old. Called
   * again when the formation changes.
   */
  attach(app: ServiceApp, credentials?: Credentials): Promise<Credentials>;
  /** Environment for the app's processes. Pure. */
  environment(credentials: Credentials): Readonly<Record<string, string>>;
  /** Ends the app's sessions and refuses new ones; its data stay, and `attach` opens them again. */
  detach(appId: number): Promise<void>;
  /** Ends the app's sessions and deletes its data. No error when there is nothing. */
  destroy(appId: number): Promise<void>;
}
