// The shell did not find the command of a process, or may not run it.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';

/** dash, bash and env, each in its own words. */
const NOT_FOUND = [
  /^\S*sh: (?:line )?\d+: (?:exec: )?(\S+): (?:command )?not found$/m,
  /^\S*sh: (?:line )?\d+: (\S+): No such file or directory$/m,
  /^(?:\S*\/)?env: [‘'`"]?([^’'`"\n]+)[’'`"]?: No such file or directory$/m,
];
const NOT_ALLOWED = [
  /^\S*sh: (?:line )?\d+: (?:exec: )?(\S+): Permission denied$/m,
  /^(?:\S*\/)?env: [‘'`"]?([^’'`"\n]+)[’'`"]?: Permission denied$/m,
];

export function unknownCommand({ phase, symptom, logTail }: DiagnosisInput): ErrorBody | undefined {
  if (phase !== 'start' || symptom === undefined) return undefined;
  const missing = firstOf(NOT_FOUND, logTail);
  if (missing !== undefined) {
    const hint = missing.includes('/')
      ? 'check the path; a script also needs a first line that names an installed program'
      : 'check its spelling, or add the package that brings it to the requirements';
    return { code: symptom.code, message: `There is no command "${missing}".`, hint };
  }
  const refused = firstOf(NOT_ALLOWED, logTail);
  if (refused === undefined) return undefined;
  const hint = `git update-index --chmod=+x ${refused.replace(/^\.\//, '')}`;
  return { code: symptom.code, message: `The file "${refused}" is not executable.`, hint };
}

function firstOf(patterns: readonly RegExp[], text: string): string | undefined {
  return patterns.map((pattern) => pattern.exec(text)?.[1]).find(Boolean);
}
