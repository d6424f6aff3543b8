// The file that a process begins as: it waits for its start on a FIFO, takes on its user, directory,
// limits and environment, and becomes the command. Pure.
import type { SandboxSpec } from '../../ports/sandbox.ts';
import { shellQuote } from '../../lib/shell-quote.ts';

export interface RunScriptOptions {
  readonly directory: string;
  /** Root can take on the user of the spec; anybody else stays who he is. */
  readonly changeUser: boolean;
}

export function runScript(spec: SandboxSpec, { directory, changeUser }: RunScriptOptions): string {
  return [
    '#!/bin/sh',
    `fifo=${shellQuote([`${directory}/start`])}`,
    'read -r _ <"$fifo"',
    'rm -f "$fifo"',
    `ulimit -n ${spec.limits.openFiles}`,
    `exec ${shellQuote(commandOf(spec, changeUser))}`,
    '',
  ].join('\n');
}

/** Argv that takes on environment, directory and user, and becomes the command. */
export function commandOf(spec: SandboxSpec, changeUser: boolean): [string, ...string[]] {
  const uid = String(spec.uid);
  const user = ['setpriv', '--reuid', uid, '--regid', uid, '--clear-groups', '--no-new-privs'];
  const environment = Object.entries(spec.env).map(([key, value]) => `${key}=${value}`);
  return ['env', '-i', '-C', spec.cwd, ...environment, ...(changeUser ? user : []), ...spec.args];
}
