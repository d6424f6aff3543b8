// Process types and release commands that the project itself names: tandem.toml, then Procfile.
import type { Finding, ProcessKind, ProcessType } from '../../domain/release.ts';
import { finding } from './evidence.ts';
import { parseProcfile, type ProcfileEntry } from './procfile.ts';
import { under, type SourceTree } from './source-tree.ts';
import type { ConfigurationFile } from './tandem-toml.ts';

const SINGLETON_NAMES = new Set(['beat', 'clock', 'scheduler', 'celerybeat']);
/** Commands of a developer's Procfile: servers that reload, build tools that watch. */
const DEVELOPMENT = /\b(runserver|runserver_plus|make|npm run (dev|watch)|--reload|watchmedo)\b/;
const DJANGO_MIGRATE = /^(python3?|\.\/manage\.py)?\s*(\S*manage\.py\s+)?migrate(\s+--no-?input)?$/;

export interface NamedProcesses {
  readonly processes: Readonly<Record<string, ProcessType>>;
  /** Undefined when the project says nothing of a release phase. */
  readonly releaseCommands: readonly string[] | undefined;
  readonly findings: readonly Finding[];
}

export function detectProcesses(
  tree: SourceTree,
  root: string,
  configuration: ConfigurationFile,
): NamedProcesses {
  const { config, file } = configuration;
  const procfile = readProcfile(tree, root);
  const named = config.processes
    ? Object.entries(config.processes).map(([name, command]) => ({ name, command, evidence: file }))
    : procfile;
  const usable = named.filter((entry) => !DEVELOPMENT.test(entry.command));
  const processes = usable.filter((entry) => entry.name !== 'release');
  const release =
    usable.find((entry) => entry.name === 'release') ??
    procfile.find((entry) => entry.name === 'release' && !DEVELOPMENT.test(entry.command));
  return {
    processes: Object.fromEntries(
      processes.map(({ name, command }) => [name, processOf(name, command)]),
    ),
    releaseCommands: config.release ?? (release ? [release.command] : undefined),
    findings: [
      ...usable.map(({ name, command, evidence }) =>
        finding(
          name === 'release' ? 'release' : 'process',
          `${name}: ${command}`,
          'named by the project',
          evidence,
        ),
      ),
      ...named
        .filter((entry) => DEVELOPMENT.test(entry.command))
        .map(({ name, command, evidence }) =>
          finding('process', `${name} left out`, `"${command}" is for development`, evidence),
        ),
    ],
  };
}

/** `manage.py migrate` alone: our own migration does that, under a lock and with a report. */
export function isPlainMigrate(command: string): boolean {
  return DJANGO_MIGRATE.test(command.trim());
}

function readProcfile(tree: SourceTree, root: string): (ProcfileEntry & { evidence: string })[] {
  for (const path of new Set([under(root, 'Procfile'), 'Procfile'])) {
    const text = tree.read(path);
    if (text === undefined) continue;
    return parseProcfile(text, path).map((entry) => ({
      ...entry,
      evidence: `${path}:${entry.line}`,
    }));
  }
  return [];
}

function processOf(name: string, command: string): ProcessType {
  return { kind: kindOf(name, command), command: command };
}

function kindOf(name: string, command: string): ProcessKind {
  if (name === 'web') return 'web';
  return SINGLETON_NAMES.has(name) || /\bcelery\b.*\bbeat\b/.test(command) ? 'singleton' : 'worker';
}
