// Steps that the platform takes itself and that commands of a Procfile often begin with: migrating
// (once, under a lock, before any instance starts) and collecting static files (at the build; later the
// release is read-only). Each instance would repeat them, some at the same moment. Migrations of other
// tools are the project's own affair, but belong into the release phase.

const MANAGE = String.raw`(?:(?:\S*\/)?python[\d.]*\s+)?(?:\S*manage\.py|django-admin)`;
const FLAGS = String.raw`(?:\s+(?:-\S+|\d))*`;
const OWN_STEP = new RegExp(`^${MANAGE}\\s+(?:migrate|collectstatic)${FLAGS}$`);
const MIGRATES =
  /^(?:(?:\S*\/)?python[\d.]*\s+-m\s+)?(?:flask(?:\s+--?\w[\w-]*(?:[ =](?!db)\S+)?)*\s+db\s+upgrade|alembic(?:\s+-c\s+\S+)?\s+upgrade\s+heads?)$/;
/** `yes | ...` answers questions that nobody asks here. */
const YES = /^yes(?:\s+["']?\w+["']?)?\s*\|\s*/;
/** What may hide a separator, or make a step depend on another in a way that is not ours to judge. */
const INTRICATE = /['"\\`()|{}]/;

export interface Stripped {
  /** Empty when nothing is left. */
  readonly command: string;
  readonly leftOut: readonly string[];
  /** Steps that are to run once, before any instance starts. */
  readonly once: readonly string[];
}

export function withoutPlatformSteps(command: string): Stripped {
  const plain = command.replace(YES, '');
  if (INTRICATE.test(plain)) return { command, leftOut: [], once: [] };
  // Steps at even places, what joins them at odd ones.
  const parts = plain.split(/\s*(&&|;)\s*/);
  const kept: string[] = [];
  const leftOut: string[] = [];
  const once: string[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const step = parts[index]?.trim() ?? '';
    if (OWN_STEP.test(step)) leftOut.push(step);
    else if (MIGRATES.test(step)) once.push(step);
    else if (step !== '') kept.push(...(kept.length > 0 ? [parts[index - 1] ?? '&&'] : []), step);
  }
  const isWhole = leftOut.length === 0 && once.length === 0;
  return { command: isWhole ? command : join(kept), leftOut, once };
}

function join(kept: readonly string[]): string {
  return kept.join(' ').replaceAll(' ;', ';');
}
