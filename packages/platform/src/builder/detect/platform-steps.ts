// Steps that the platform takes itself and that commands of a Procfile often begin with: migrating
// (once, under a lock, before any instance starts) and collecting static files (at the build; later the
// release is read-only). Each instance would repeat them, some at the same moment.

const MANAGE = String.raw`(?:(?:\S*\/)?python[\d.]*\s+)?(?:\S*manage\.py|django-admin)`;
const FLAGS = String.raw`(?:\s+(?:-\S+|\d))*`;
const OWN_STEP = new RegExp(`^${MANAGE}\\s+(?:migrate|collectstatic)${FLAGS}$`);
/** What may hide a separator, or make a step depend on another in a way that is not ours to judge. */
const INTRICATE = /['"\\`()|{}]/;

export interface Stripped {
  /** Empty when nothing is left. */
  readonly command: string;
  readonly leftOut: readonly string[];
}

export function withoutPlatformSteps(command: string): Stripped {
  if (INTRICATE.test(command)) return { command, leftOut: [] };
  // Steps at even places, what joins them at odd ones.
  const parts = command.split(/\s*(&&|;)\s*/);
  const kept: string[] = [];
  const leftOut: string[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const step = parts[index]?.trim() ?? '';
    if (OWN_STEP.test(step)) leftOut.push(step);
    else if (step !== '') kept.push(...(kept.length > 0 ? [parts[index - 1] ?? '&&'] : []), step);
  }
  return leftOut.length === 0 ? { command, leftOut } : { command: join(kept), leftOut };
}

function join(kept: readonly string[]): string {
  return kept.join(' ').replaceAll(' ;', ';');
}
