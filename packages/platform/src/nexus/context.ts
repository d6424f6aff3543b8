// What the nexus works with, injected by the composition root.
import type { Installation } from '../domain/installation.ts';
import type { Builder } from '../ports/builder.ts';
import type { Clock } from '../ports/clock.ts';
import type { ImageStore, LayerRef } from '../ports/image-store.ts';
import type { ReadLogs } from '../ports/log-reader.ts';
import type { Paths } from '../ports/paths.ts';
import type { Runner } from '../ports/runner.ts';
import type { ServiceHealth, ServiceKind } from '../ports/service-kind.ts';
import type { Repository } from './documents/repository.ts';
import type { Resolver } from './resolver/index.ts';
import type { SecretBox } from './secrets/secret-box.ts';

/** The database of an app, beside what every kind of service offers. All share its server. */
export interface DatabaseKind extends ServiceKind {
  health(): Promise<ServiceHealth>;
  waitUntilHealthy(signal: AbortSignal): Promise<void>;
  /** As `app.name`, from Django's own table; undefined when there is no such table. */
  appliedMigrations(credentials: Readonly<Record<string, string>>): Promise<string[] | undefined>;
}

export interface NexusContext {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly repository: Repository;
  readonly secrets: SecretBox;
  readonly runner: Runner;
  readonly builder: Builder;
  readonly imageStore: ImageStore;
  readonly resolver: Resolver;
  readonly database: DatabaseKind;
  readonly redis: ServiceKind;
  readonly readLogs: ReadLogs;
  /** Layers that are not of an app: stacks, interpreters, caches worth keeping. */
  readonly protectedLayers: () => readonly LayerRef[];
  /** Bytes that new processes may still take; see domain/room.ts. */
  readonly availableMemoryBytes: () => Promise<number>;
  /** Whether browsers get there by HTTPS, with a certificate that they trust. */
  readonly isSecure: (host: string) => boolean;
  /** For the operator: one line to the agent's own log. */
  readonly report: (text: string, error?: unknown) => void;
}
