// Commands are run as `sh -c 'exec COMMAND'`. That needs one simple command: anything else that a
// shell understands is wrapped in a shell of its own.

import { shellQuote } from '../lib/shell-quote.ts';

const COMPOUND = /[;&|<>()`\n]|\$\(|^\s*(cd|export|set|if|for|while|exec|\.|source)\s/;
const ASSIGNMENT = /^\s*\w+=/;

export function asSimpleCommand(command: string): string {
  const trimmed = command.trim();
  if (COMPOUND.test(trimmed)) return `/bin/sh -c ${shellQuote([withExec(trimmed)])}`;
  return ASSIGNMENT.test(trimmed) ? `env ${trimmed}` : trimmed;
}

/** In `a && b` the last command takes the shell's place, so that signals reach it. */
function withExec(command: string): string {
  const parts = command.split('&&').map((part) => part.trim());
  const last = parts.at(-1) ?? '';
  if (
    parts.some((part) => COMPOUND.test(part.replace(/^cd /, ''))) ||
    /["'][^"']*$/.test(parts[0] ?? '')
  ) {
    return command;
  }
  const rest = parts.slice(0, -1);
  const final = ASSIGNMENT.test(last) ? `exec env ${last}` : `exec ${last}`;
  return [...rest, final].join(' && ');
}
