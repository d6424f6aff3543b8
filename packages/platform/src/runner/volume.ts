// The volume of an app is there before the first process that may write to it.
import type { ProcessSpec } from '../ports/runner.ts';
import type { RunnerContext } from './context.ts';

export async function ensureVolume(
  { volumes }: Pick<RunnerContext, 'volumes'>,
  { appId, uid, volume, layers }: ProcessSpec,
): Promise<void> {
  if (volume !== undefined) await volumes.ensure({ appId, uid, plan: volume, layers });
}
