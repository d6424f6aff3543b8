// Where the project names what an image runs, from the findings of its build.
import type { BuiltImage, Finding } from '../../domain/release.ts';

/** `Procfile:1 web: gunicorn app:app`; undefined for a command of our own. */
export function namedCommand(
  { findings }: Pick<BuiltImage, 'findings'>,
  processType: string,
): string | undefined {
  const isNamed = ({ rule, value }: Finding): boolean =>
    (rule === 'process' || rule === 'release') && value.startsWith(`${processType}: `);
  const found = findings.find(isNamed);
  return found && [found.evidence, found.value].filter(Boolean).join(' ');
}

export function settingsModuleOf({ findings }: Pick<BuiltImage, 'findings'>): string | undefined {
  return findings.find(({ rule }) => rule === 'settings')?.value;
}
