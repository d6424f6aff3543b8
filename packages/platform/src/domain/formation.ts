// How many instances of which process type an app wants, and what must start or go to get there.
import type { ProcessType } from './release.ts';

export interface ProcessFormation {
  readonly count: number;
  readonly memoryBytes: number;
}

export type Formation = Readonly<Record<string, ProcessFormation>>;

/** What is known of an instance when a plan is made. */
export interface PlacedInstance {
  readonly instanceId: string;
  readonly release: number;
  readonly processType: string;
  readonly index: number;
  readonly memoryBytes: number;
  readonly desired: 'running' | 'draining' | 'stopped';
}

export interface InstanceToCreate {
  readonly processType: string;
  readonly index: number;
  readonly memoryBytes: number;
}

export interface InstancePlan {
  readonly keep: readonly PlacedInstance[];
  readonly create: readonly InstanceToCreate[];
  readonly retire: readonly PlacedInstance[];
}

/** Process types the formation does not name run once, with the default size. */
export function completeFormation(
  formation: Formation,
  processTypes: Readonly<Record<string, ProcessType>>,
  memoryBytesDefault: number,
): Formation {
  const complete: Record<string, ProcessFormation> = {};
  for (const name of Object.keys(processTypes)) {
    complete[name] = formation[name] ?? { count: 1, memoryBytes: memoryBytesDefault };
  }
  return complete;
}

/** A job is given what the largest process has: it runs the same code, one at a time. */
export function jobMemoryBytes(formation: Formation, memoryBytesMin: number): number {
  const sizes = Object.values(formation).map(({ memoryBytes }) => memoryBytes);
  return Math.max(memoryBytesMin, ...sizes);
}

/**
 * An instance is kept when it runs the wanted release in the wanted size, unless it is outdated all
 * the same (a restart). Everything else that still runs is retired once its successors are ready.
 */
export function planInstances(input: {
  readonly existing: readonly PlacedInstance[];
  readonly formation: Formation;
  readonly release: number;
  readonly isOutdated?: (instance: PlacedInstance) => boolean;
}): InstancePlan {
  const running = input.existing.filter((instance) => instance.desired === 'running');
  const kept = new Set<string>();
  const create: InstanceToCreate[] = [];
  for (const [processType, { count, memoryBytes }] of Object.entries(input.formation)) {
    for (let index = 1; index <= count; index += 1) {
      const fit = running.find(
        (instance) =>
          !input.isOutdated?.(instance) &&
          instance.release === input.release &&
          instance.processType === processType &&
          instance.index === index &&
          instance.memoryBytes === memoryBytes,
      );
      if (fit) kept.add(fit.instanceId);
      else create.push({ processType, index, memoryBytes });
    }
  }
  return {
    keep: running.filter((instance) => kept.has(instance.instanceId)),
    create,
    retire: running.filter((instance) => !kept.has(instance.instanceId)),
  };
}
