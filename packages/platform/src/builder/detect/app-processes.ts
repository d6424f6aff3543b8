// All processes and release commands of an app: what the project names, what its code shows, what its
// containers run.
import type { Finding } from '../../domain/release.ts';
import { detectBackgroundProcesses, endlessCommands } from './background-processes.ts';
import { containerProcesses } from './containers/container-processes.ts';
import { containerRelease } from './containers/container-release.ts';
import { detected, type Detected } from './evidence.ts';
import type { Framework, Project } from './framework.ts';
import { detectProcesses, type NamedProcesses } from './processes.ts';

export function appProcesses(project: Project, isDjango: boolean): NamedProcesses {
  const { tree, root, dependencies, configuration, containers } = project;
  const named = detectProcesses(tree, root, configuration);
  if (configuration.config.processes !== undefined) return named;
  const commands = Object.values(named.processes).map(({ command }) => command);
  const request = { root, isDjango, dependencies, named: commands };
  const more = detectBackgroundProcesses(tree, request);
  const contained = containerProcesses(tree, containers, {
    root,
    dependencies,
    named: named.processes,
    guessed: more.processes,
  });
  const isReplaced = (name: string): boolean => contained.replaced.includes(name);
  const guessed = Object.entries(more.processes).filter(([name]) => !isReplaced(name));
  const endless = isDjango ? endlessCommands(tree, root) : [];
  const all = [...commands, ...Object.values(contained.processes).map(({ command }) => command)];
  const isNamed = ({ value }: Finding): boolean =>
    all.some((command) => command.includes(value.split(' ')[0] ?? value));
  return {
    ...named,
    processes: {
      ...Object.fromEntries(guessed),
      ...contained.processes,
      ...named.processes,
    },
    findings: [
      ...named.findings,
      ...more.findings.filter(({ value }) => !isReplaced(value.split(':')[0] ?? '')),
      ...contained.findings,
      ...endless.filter((finding) => !isNamed(finding)),
    ],
  };
}

/** What the project says of it, else what its tools and its containers show. */
export function appRelease(
  { tree, root, dependencies, containers }: Project,
  named: NamedProcesses,
  { entry, settings, releaseCommands = [] }: Framework,
): Detected<readonly string[] | undefined> {
  if (named.releaseCommands !== undefined) return detected(named.releaseCommands);
  const processes = Object.values(named.processes).map(({ command }) => command);
  const known = [...releaseCommands, ...processes];
  const isDjango = settings !== undefined;
  const isFlask = entry?.framework === 'flask';
  const request = { root, isDjango, isFlask, dependencies, known };
  const more = containerRelease(tree, containers, request);
  const commands = [...releaseCommands, ...more.commands];
  const isSilent = isDjango && commands.length === 0;
  return detected(isSilent ? undefined : commands, ...more.findings);
}
