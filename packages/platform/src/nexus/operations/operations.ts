// The control API's far side: what exists and what is allowed. One file per noun; this one puts
// them together.
import type { ControlBackend } from '../control/backend.ts';
import type { NexusContext } from '../context.ts';
import type { Deploys } from '../scheduler/deploys.ts';
import type { InstanceKeeper } from '../scheduler/instance-keeper.ts';
import type { RoutePublisher } from '../scheduler/route-publisher.ts';
import { appOperations } from './apps.ts';
import { configOperations } from './config.ts';
import { deployOperations } from './deploys.ts';
import { platformOperations, type PlatformProbe } from './platform.ts';
import { processOperations } from './processes.ts';
import { releaseOperations } from './releases.ts';

export interface OperationsContext extends NexusContext {
  readonly deploys: Deploys;
  readonly keeper: InstanceKeeper;
  readonly routes: RoutePublisher;
  readonly platform: PlatformProbe;
}

export function createOperations(context: OperationsContext): ControlBackend {
  return {
    ...appOperations(context),
    ...deployOperations(context),
    ...releaseOperations(context),
    ...configOperations(context),
    ...processOperations(context),
    ...platformOperations(context),
  };
}
