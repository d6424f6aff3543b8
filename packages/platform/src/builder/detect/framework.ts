// What an app is made of: Django, another framework, Node.js, a process that only its Procfile knows,
// or nothing but files.
import { TandemError } from '@tandem/protocol';
import type { Finding } from '../../domain/release.ts';
import { detectNodeApp, type NodeApp } from '../node/detect-node-app.ts';
import type { Configuration } from './configuration.ts';
import type { Containers } from './containers/containers.ts';
import { servedApplications } from './containers/served-application.ts';
import { suggestedSettings } from './containers/suggested-settings.ts';
import { detectDatabaseDialect } from './database-dialect.ts';
import { detectDatabaseNeed } from './database-need.ts';
import { detectSite, type Site } from './detect-site.ts';
import { detectEntryPoint, type ConfiguredEntry, type EntryPoint } from './entry-point.ts';
import { finding, type Detected } from './evidence.ts';
import { flaskApp } from './flask-app.ts';
import { flaskConfig } from './flask-config.ts';
import { importGraph, moduleFile } from './import-graph.ts';
import type { NamedProcesses } from './processes.ts';
import { detectPythonPath } from './python-path.ts';
import { detectReleaseCommands } from './release-commands.ts';
import { detectSettingsHooks, type MadeFile } from './settings-hook.ts';
import { detectSettingsModule, type SettingsModule } from './settings-module.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';
import type { GivenVariable } from './variables.ts';

/** What is known of a project before its framework is. */
export interface Project {
  readonly tree: SourceTree;
  readonly configuration: Configuration;
  readonly containers: Containers;
  /** The app's config. */
  readonly config: Readonly<Record<string, string>>;
  /** Directory of the app. */
  readonly root: string;
  /** Distributions that it asks for. */
  readonly dependencies: readonly string[];
}

export interface Framework {
  /** Directories on the path, relative to the top of the source; the root first. */
  readonly pythonPath: readonly string[];
  /** Set for Django. */
  readonly settings?: SettingsModule;
  /** Set for everything else but a project that only a Procfile describes. */
  readonly entry?: EntryPoint;
  /** Set for an app that is Node.js, not Python. */
  readonly nodeApp?: NodeApp;
  /** Set for files without an app. */
  readonly site?: Detected<Site>;
  /** To be made in the source before the project is imported. */
  readonly madeFiles: readonly MadeFile[];
  /** Not for Django. */
  readonly wantsDatabase: boolean;
  readonly databaseDriver?: string | undefined;
  /** What an import of the project begins with. */
  readonly startFiles: readonly string[];
  readonly releaseCommands?: readonly string[];
  readonly given?: readonly GivenVariable[];
  readonly findings: readonly Finding[];
}

export function djangoFramework(project: Project, manageFile: string): Framework {
  const { tree, root, dependencies, configuration } = project;
  const entries = walkFiles(tree, root, 3).filter((path) => /(^|\/)(wsgi|asgi)\.py$/.test(path));
  const beginnings = [manageFile, ...entries];
  const common = { root, configured: configuration.config.pythonpath ?? [], dependencies };
  const before = detectPythonPath(tree, { ...common, files: beginnings });
  const settings = settingsOf(project, manageFile, before.directories);
  const { file } = settings.value;
  const first = importGraph(tree, before.directories, [file]);
  const path = detectPythonPath(tree, { ...common, files: [...beginnings, ...first] });
  const graph = importGraph(tree, path.directories, [file]);
  const hooks = detectSettingsHooks(tree, path.directories, graph);
  const why = 'manage.py imports its management';
  return {
    pythonPath: path.directories,
    settings: settings.value,
    madeFiles: hooks.files,
    wantsDatabase: false,
    startFiles: graph,
    findings: [
      finding('framework', 'django', why, manageFile),
      ...settings.findings,
      ...path.findings,
      ...hooks.findings,
    ],
  };
}

function settingsOf(project: Project, manageFile: string, pythonPath: readonly string[]) {
  const { tree, root, containers } = project;
  const { config, origins } = project.configuration;
  const wish = config.settings ?? project.config['DJANGO_SETTINGS_MODULE'];
  const evidence = origins.settings ?? 'config DJANGO_SETTINGS_MODULE';
  const configured =
    wish === undefined ? {} : { configured: { name: wish, evidence, why: 'set by you' } };
  const suggested = suggestedSettings(containers);
  const request = { root, manageFile, pythonPath, suggested, ...configured };
  return detectSettingsModule(tree, request);
}

export function otherFramework(project: Project, named: NamedProcesses): Framework {
  const { tree, root, dependencies } = project;
  const { config } = project.configuration;
  const need = detectDatabaseNeed(tree, root, dependencies);
  const dialect = need && detectDatabaseDialect(tree, root, dependencies);
  const wantsDatabase = config.database ?? need !== undefined;
  const databaseDriver = dialect?.driver;
  const common = { madeFiles: [], wantsDatabase, databaseDriver };
  const after = need ? [dialect?.finding ?? need] : [];
  const { filesOnly } = project.configuration;
  const found = filesOnly === undefined ? entryOf(project, named) : undefined;
  const node = found || filesOnly !== undefined ? undefined : nodeOf(project, named);
  if (node !== undefined) {
    const { value: nodeApp, findings } = node;
    const wanted = { madeFiles: [], wantsDatabase: nodeApp.wantsDatabase };
    return { ...wanted, nodeApp, pythonPath: [root], startFiles: [], findings };
  }
  if (found === undefined) {
    const site = named.processes['web'] === undefined ? siteOf(project) : undefined;
    if (filesOnly !== undefined) assertSomething(site, named, filesOnly);
    const procfile = [finding('framework', 'procfile', 'only its web process is known')];
    const pythonPath = [...new Set([root, ...(config.pythonpath ?? [])])];
    const bare = { ...common, pythonPath, startFiles: [], ...(site ? { site } : {}) };
    return { ...bare, findings: [...(site?.findings ?? procfile), ...after] };
  }
  const entry = found.value;
  const configured = config.pythonpath ?? [];
  const bases = [...new Set([root, entry.pathEntry, ...configured])];
  const start = [moduleFile(tree, bases, entry.module) ?? ''].filter(Boolean);
  const files = importGraph(tree, bases, start);
  const path = detectPythonPath(tree, { root, files, configured, dependencies });
  const pythonPath = [...new Set([...bases, ...path.directories])];
  const startFiles = importGraph(tree, pythonPath, start);
  const release = detectReleaseCommands(tree, { root, entry, dependencies });
  return {
    ...common,
    entry,
    madeFiles: entry.made ? [entry.made] : [],
    pythonPath,
    startFiles,
    given: [
      ...flaskApp(tree, root, entry, dependencies),
      ...flaskConfig(tree, root, pythonPath, startFiles),
    ],
    releaseCommands: release.commands,
    findings: [
      ...found.findings,
      ...path.findings,
      ...after,
      ...(named.releaseCommands === undefined ? release.findings : []),
    ],
  };
}

function assertSomething(site: unknown, { processes }: NamedProcesses, where: string): void {
  if (site !== undefined || Object.keys(processes).length > 0) return;
  throw new TandemError('EPIO_INI_INVALID', `${where}: no app, and no files for "/" either.`, {
    where,
    hint: 'name the directory of the site: [static] / = public',
  });
}

function entryOf(project: Project, named: NamedProcesses) {
  const { tree, root, containers, configuration } = project;
  try {
    const webCommand = named.processes['web']?.command;
    const configured = configuredEntry(configuration);
    const contained = servedApplications(containers, root);
    return detectEntryPoint(tree, root, { configured, webCommand, contained });
  } catch (error) {
    // A web process of the project's own is enough, and files need none.
    const isEnough =
      named.processes['web'] !== undefined ||
      siteOf(project) !== undefined ||
      nodeOf(project, named) !== undefined;
    if (!isEnough || configuration.config.entry !== undefined) throw error;
    return undefined;
  }
}

function nodeOf({ tree, root, dependencies, configuration }: Project, named: NamedProcesses) {
  const { config } = configuration;
  if (config.entry !== undefined) return undefined;
  const web = named.processes['web'];
  const hasPythonDependencies = dependencies.length > 0;
  return detectNodeApp(tree, { root, config, web, hasPythonDependencies });
}

function siteOf({ tree, root, configuration }: Project) {
  return detectSite(tree, root, configuration.config, configuration.origins.static);
}

function configuredEntry({ config, origins, file }: Configuration): ConfiguredEntry | undefined {
  const { entry, pythonpath: paths = [] } = config;
  return entry === undefined ? undefined : { entry, setIn: origins.entry ?? file, paths };
}
