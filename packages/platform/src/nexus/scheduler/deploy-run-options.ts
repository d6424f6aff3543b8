// What one deploy is run with, and concluded or undone with.
import type { KeyedMutex } from '../../lib/mutex.ts';
import type { NexusContext } from '../context.ts';
import type { Channel } from './deploy-events.ts';
import type { InstanceKeeper } from './instance-keeper.ts';
import type { RoutePublisher } from './route-publisher.ts';

export interface DeployRunOptions {
  readonly context: NexusContext;
  readonly keeper: InstanceKeeper;
  readonly routes: RoutePublisher;
  readonly appId: number;
  readonly number: number;
  readonly events: Channel;
  readonly builds: KeyedMutex;
}
