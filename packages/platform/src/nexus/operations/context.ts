// What the operations work with: the nexus's own parts, and a view of the platform around it.
import type { DoctorCheck, PlatformStatus } from '@tandem/protocol';
import type { CertificateKeeper } from '../certificates/certificate-keeper.ts';
import type { NexusContext } from '../context.ts';
import type { Deploys } from '../scheduler/deploys.ts';
import type { InstanceKeeper } from '../scheduler/instance-keeper.ts';
import type { RoutePublisher } from '../scheduler/route-publisher.ts';

/** What only the composition root can see: processes, memory of the machine, its fitness. */
export interface PlatformProbe {
  readonly version: string;
  components(): Promise<PlatformStatus['components']>;
  memory(): Promise<PlatformStatus['memory']>;
  examineMachine(): Promise<readonly DoctorCheck[]>;
}

export type Certificates = Pick<CertificateKeeper, 'domains' | 'ensure' | 'remove' | 'import'>;

export interface OperationsContext extends NexusContext {
  readonly deploys: Deploys;
  readonly keeper: InstanceKeeper;
  readonly routes: RoutePublisher;
  readonly certificates: Certificates;
  readonly platform: PlatformProbe;
}
