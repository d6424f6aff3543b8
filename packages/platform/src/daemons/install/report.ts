// What `script/up` says at its end.
import type { PlatformStatus } from '@tandem/protocol';
import type { RunningInstallation } from './bring-up.ts';
import type { MemoryRow } from './memory-table.ts';
import { DEFAULT_NAME } from './options.ts';

export interface ReportInputs {
  readonly running: RunningInstallation;
  readonly memory: readonly MemoryRow[];
  readonly exampleUrls: readonly string[];
  /** False when another program is called `tandem`. */
  readonly onPath: boolean;
}

export function report(inputs: ReportInputs): string {
  const { running, memory, exampleUrls } = inputs;
  const { installation, started } = running;
  return [
    started.length === 0
      ? `Tandem is up already: installation ${installation.name}; nothing was changed.`
      : `Tandem is up: installation ${installation.name}; started ${started.join(', ')}.`,
    '',
    ...exampleUrls.map((url) => `Example site   ${url}`),
    `Apps answer at ${running.status.urlTemplate}`,
    '',
    ...memoryLines(memory, running.status),
    '',
    ...nextLines(inputs),
    ...running.status.warnings.map((warning) => `Warning: ${warning}`),
  ].join('\n');
}

function memoryLines(rows: readonly MemoryRow[], { memory }: PlatformStatus): string[] {
  const usedBytes = rows.reduce((sum, row) => sum + row.pssBytes, 0);
  const line = (name: string, bytes: number) =>
    `${name.padEnd(26)}${mebibytes(bytes).padStart(6)} MiB`;
  return [
    'Memory of the platform',
    ...rows.map(({ name, processes, pssBytes }) =>
      line(`  ${name}${processes > 1 ? ` x ${processes}` : ''}`, pssBytes),
    ),
    line('  together', usedBytes),
    line('Room left for apps', memory.roomBytes),
  ];
}

function nextLines({ running, onPath }: ReportInputs): string[] {
  const { name } = running.installation;
  const command = onPath ? 'tandem' : 'node packages/cli/dist/tandem.js';
  const where = name === DEFAULT_NAME ? '' : ` --installation ${name}`;
  return [
    'Deploy your own project:',
    '  cd YOUR-PROJECT',
    `  ${command}${where} deploy`,
    ...(onPath ? [] : ['Another program is called tandem, so it is not on PATH.']),
  ];
}

function mebibytes(bytes: number): string {
  return String(Math.round(bytes / 1024 / 1024));
}
