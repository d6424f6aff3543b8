// Starts a TypeScript file of this repository as a process of its own.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

export type Script = ChildProcessByStdio<null, Readable, Readable>;

export function runTypeScript(file: string, args: readonly string[]): Script {
  return spawn(process.execPath, ['--conditions=development', file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function exitOf(script: Script): Promise<number | null> {
  if (script.exitCode !== null || script.signalCode !== null) {
    return Promise.resolve(script.exitCode);
  }
  return new Promise((resolve) => script.once('exit', resolve));
}
