// A Procfile line as argv. Signals go to the main process only, so the command itself should be it,
// not a shell that waits for it.

const SHELL_OPERATORS = /[;&|<>()`\n]|\$\(/;
const LEADING_ASSIGNMENT = /^\s*[A-Za-z_][A-Za-z0-9_]*=/;

/**
 * A simple command replaces the shell that expands it. A leading assignment goes through `env`,
 * because `exec A=1 x` is no shell syntax. A list or pipeline is left to bash, which replaces
 * itself by the last command of a list.
 */
export function commandLineArgs(line: string): [string, ...string[]] {
  const command = line.trim();
  if (SHELL_OPERATORS.test(withoutQuoted(command))) return ['/bin/bash', '-c', command];
  if (/^exec\s/.test(command)) return ['/bin/sh', '-c', command];
  if (LEADING_ASSIGNMENT.test(command)) return ['/bin/sh', '-c', `exec env ${command}`];
  return ['/bin/sh', '-c', `exec ${command}`];
}

function withoutQuoted(command: string): string {
  return command.replace(/'[^']*'|"(?:\\.|[^"\\])*"/g, '""');
}
