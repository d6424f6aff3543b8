// How many releases may be draining at once. Visitors who hold a connection open for long (WebSockets,
// streams) keep old instances alive; deploys in a quick row would otherwise pile them up.

export interface DrainingInstance {
  readonly instanceId: string;
  readonly desired: 'running' | 'draining' | 'stopped';
  /** The same for all that one switch sent away: they are one generation. */
  readonly drainUntilMs?: number | undefined;
}

/** Draining instances of all generations but the newest `generationsMax`: their grace ends now. */
export function endedByNewerDrains(
  instances: readonly DrainingInstance[],
  generationsMax: number,
): string[] {
  const draining = instances.filter(({ desired }) => desired === 'draining');
  const generations = [...new Set(draining.map(generation))].toSorted((a, b) => b - a);
  const kept = new Set(generations.slice(0, generationsMax));
  return draining
    .filter((instance) => !kept.has(generation(instance)))
    .map(({ instanceId }) => instanceId);
}

function generation({ drainUntilMs }: DrainingInstance): number {
  return drainUntilMs ?? 0;
}
