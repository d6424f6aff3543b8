// All rules that need no environment, in order. What imports the project comes later (steps/).
import type { Finding, StaticRoute } from '../../domain/release.ts';
import { detectNodeApp, type NodeApp } from '../node/detect-node-app.ts';
import { detectNodeBuilds, type NodeBuild } from '../node/detect-node-build.ts';
import { standInConfig } from '../steps/stand-in-config.ts';
import { detectAppRoot } from './app-root.ts';
import { detectBackgroundProcesses, endlessCommands } from './background-processes.ts';
import { cachedTree } from './cached-tree.ts';
import { committedVariables } from './committed-variables.ts';
import { containerProcesses } from './containers/container-processes.ts';
import { containerRelease } from './containers/container-release.ts';
import { containerValues } from './containers/container-variables.ts';
import { readContainers, type Containers } from './containers/containers.ts';
import { servedApplications } from './containers/served-application.ts';
import { suggestedSettings } from './containers/suggested-settings.ts';
import { readConfiguration, type Configuration } from './configuration.ts';
import { detectDatabaseDialect } from './database-dialect.ts';
import { detectDatabaseNeed } from './database-need.ts';
import { detectDependencyFiles, type DependencySource } from './dependency-files.ts';
import { detectEntryPoint, type ConfiguredEntry, type EntryPoint } from './entry-point.ts';
import { environmentReads } from './environment-reads.ts';
import { bundleConfigUse } from './epio/bundle-config.ts';
import { dataDirectoryFindings } from './epio/data-directory.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { flaskApp } from './flask-app.ts';
import { flaskConfig } from './flask-config.ts';
import { importGraph, moduleFile } from './import-graph.ts';
import type { Link } from './linked-tree.ts';
import { detectProcesses, type NamedProcesses } from './processes.ts';
import { detectPythonPath } from './python-path.ts';
import { scanningOnce } from './python-source.ts';
import { detectPythonVersion } from './python-version.ts';
import { detectReleaseCommands } from './release-commands.ts';
import { settingsFields } from './settings-classes.ts';
import { detectSettingsHooks, type MadeFile } from './settings-hook.ts';
import { detectSettingsModule, type SettingsModule } from './settings-module.ts';
import { detectSite, type Site } from './detect-site.ts';
import { under, walkFiles, type SourceTree } from './source-tree.ts';
import { detectSystemPackages, type SystemPackageWishes } from './system-packages.ts';
import type { TandemConfig } from './tandem-toml.ts';
import { detectVariables, productionKeyIn } from './variables.ts';
import type { GivenVariable, Variables } from './variables.ts';
import { answeredUrls, configuredMappings } from './static-mappings.ts';
import { detectVolume, type DetectedVolume } from './volume.ts';

export interface DetectContext {
  /** Full versions of the interpreters on offer. */
  readonly pythonVersions: readonly string[];
  /** The app's config: DJANGO_SETTINGS_MODULE there is the user's word. */
  readonly config: Readonly<Record<string, string>>;
}

export interface Detection {
  readonly root: string;
  readonly config: TandemConfig;
  readonly dependencies: DependencySource;
  readonly pythonVersion: string;
  /** Directories on the path, relative to the top of the source; the root first. */
  readonly pythonPath: readonly string[];
  /** Set for Django. */
  readonly settings?: SettingsModule;
  /** Set for everything else but a project that only a Procfile describes. */
  readonly entry?: EntryPoint;
  readonly named: NamedProcesses;
  readonly systemPackages: SystemPackageWishes;
  /** Set for an app that is Node.js, not Python. */
  readonly nodeApp?: NodeApp;
  /** Front ends to build before static files are collected. */
  readonly nodeBuilds: readonly NodeBuild[];
  readonly variables: Variables;
  /** To be made in the source before the project is imported. */
  readonly madeFiles: readonly MadeFile[];
  /** To be made in the source before anything reads it. */
  readonly links: readonly Link[];
  /** The project may import `bundle_config`, the module of the ep.io system. */
  readonly bundleConfig: boolean;
  /** Not for Django. */
  readonly wantsDatabase: boolean;
  readonly volume: DetectedVolume;
  /** Mapped by the user, or the whole of a site without an app. */
  readonly staticRoutes: readonly StaticRoute[];
  /** No app, only files. */
  readonly isSite: boolean;
  /** `/favicon.ico`, `/robots.txt`: those that the code of the app speaks of. */
  readonly answeredUrls: readonly string[];
  readonly findings: readonly Finding[];
}

export function detect(tree: SourceTree, context: DetectContext): Detection {
  return scanningOnce(() => new Detector(cachedTree(tree), context).run());
}

type Framework = Pick<Detection, 'pythonPath' | 'madeFiles' | 'wantsDatabase' | 'findings'> &
  Pick<Detection, 'settings' | 'entry' | 'nodeApp'> & {
    /** What an import of the project begins with. */
    readonly startFiles: readonly string[];
    readonly releaseCommands?: readonly string[];
    readonly site?: Detected<Site>;
    readonly databaseDriver?: string | undefined;
    readonly given?: readonly GivenVariable[];
  };

class Detector {
  readonly #tree: SourceTree;
  readonly #context: DetectContext;
  readonly #configuration: Configuration;
  #containers: Containers = NO_CONTAINERS;

  constructor(source: SourceTree, context: DetectContext) {
    this.#context = context;
    this.#configuration = readConfiguration(source, context.config);
    this.#tree = this.#configuration.tree;
  }

  run(): Detection {
    const tree = this.#tree;
    const { config, origins, links } = this.#configuration;
    const root = detectAppRoot(tree, config.root, origins.root);
    const { directory, manageFile } = root.value;
    this.#containers = readContainers(tree, directory);
    const { requirements } = config;
    const dependencies = detectDependencyFiles(tree, directory, requirements, origins.requirements);
    const python = detectPythonVersion(tree, {
      directories: [dependencies.value.directory, directory, ''],
      root: directory,
      available: this.#context.pythonVersions,
      dependencies: dependencies.value,
      ...(config.python === undefined ? {} : { configured: config.python }),
    });
    const { names } = dependencies.value;
    const named = this.#processes(directory, manageFile !== undefined, names);
    const framework =
      manageFile !== undefined && config.entry === undefined
        ? this.#django(directory, manageFile, names)
        : this.#withoutDjango(directory, names, named);
    const { releaseCommands: _release, site, findings, ...read } = framework;
    const { startFiles: _startFiles, databaseDriver: _driver, given: _given, ...kept } = read;
    const release = this.#release(directory, names, named, framework);
    const mappings = configuredMappings(tree, directory, config.static);
    const variables = this.#variables(directory, framework);
    const bundleConfig = bundleConfigUse(tree, directory);
    const dataDirectory = bundleConfig?.dataDirectory ?? this.#configuration.dataDirectory;
    const volume = this.#volume(directory, names, framework);
    const beyond = this.#beyondPython(directory, dependencies.value, { ...kept, site });
    const [first, ...others] = findings;
    return {
      root: directory,
      config,
      dependencies: dependencies.value,
      pythonVersion: python.value,
      named: { ...named, releaseCommands: release.value },
      variables,
      links,
      bundleConfig: bundleConfig !== undefined,
      ...beyond.value,
      volume: volume.value,
      staticRoutes: [
        ...mappings.value.filter(({ url }) => url !== site?.value.route.url),
        ...(site ? [site.value.route] : []),
      ],
      isSite: site !== undefined,
      answeredUrls: answeredUrls(tree, volume.value.sourceFiles),
      ...kept,
      findings: [
        ...(first ? [first] : []),
        ...this.#configuration.findings,
        ...root.findings,
        ...(kept.nodeApp ? [] : [...dependencies.findings, ...python.findings]),
        ...others,
        ...variables.findings,
        ...(bundleConfig?.findings ?? []),
        ...dataDirectoryFindings(dataDirectory),
        ...beyond.findings,
        ...volume.findings,
        ...mappings.findings,
        ...named.findings,
        ...release.findings,
        ...this.#containers.findings,
      ],
    };
  }

  #volume(directory: string, dependencies: readonly string[], framework: Framework) {
    return detectVolume(this.#tree, {
      root: directory,
      config: this.#configuration.config,
      dependencies,
      hasDatabase: this.#context.config['DATABASE_URL'] !== undefined,
      ...framework,
    });
  }

  /** What the app needs of the system, and a front end that is built. */
  #beyondPython(
    root: string,
    dependencies: DependencySource,
    {
      settings,
      nodeApp,
      site,
    }: Pick<Framework, 'settings' | 'nodeApp'> & {
      readonly site: Framework['site'];
    },
  ): Detected<Pick<Detection, 'systemPackages' | 'nodeBuilds'>> {
    const tree = this.#tree;
    const { config, origins, file } = this.#configuration;
    const project = { root, config, dependencies, ...(settings ? { settings } : {}) };
    const { image } = this.#containers;
    const packages = detectSystemPackages(tree, project, origins.packages ?? file, image);
    const { names } = dependencies;
    const own = site?.value.build;
    const builds =
      nodeApp || own
        ? { value: own ? [own] : [], findings: [] }
        : detectNodeBuilds(tree, { root, config, names, settingsFile: settings?.file });
    return {
      value: { systemPackages: packages.value, nodeBuilds: builds.value },
      findings: [...packages.findings, ...builds.findings],
    };
  }

  #processes(root: string, isDjango: boolean, dependencies: readonly string[]): NamedProcesses {
    const named = detectProcesses(this.#tree, root, this.#configuration);
    if (this.#configuration.config.processes !== undefined) return named;
    const commands = Object.values(named.processes).map(({ command }) => command);
    const request = { root, isDjango, dependencies, named: commands };
    const more = detectBackgroundProcesses(this.#tree, request);
    const contained = containerProcesses(this.#tree, this.#containers, {
      root,
      dependencies,
      named: named.processes,
      guessed: more.processes,
    });
    const isReplaced = (name: string): boolean => contained.replaced.includes(name);
    const guessed = Object.entries(more.processes).filter(([name]) => !isReplaced(name));
    const endless = isDjango ? endlessCommands(this.#tree, root) : [];
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
  #release(
    root: string,
    dependencies: readonly string[],
    named: NamedProcesses,
    { entry, settings, releaseCommands = [] }: Framework,
  ): Detected<readonly string[] | undefined> {
    if (named.releaseCommands !== undefined) return detected(named.releaseCommands);
    const processes = Object.values(named.processes).map(({ command }) => command);
    const known = [...releaseCommands, ...processes];
    const isDjango = settings !== undefined;
    const isFlask = entry?.framework === 'flask';
    const request = { root, isDjango, isFlask, dependencies, known };
    const more = containerRelease(this.#tree, this.#containers, request);
    const commands = [...releaseCommands, ...more.commands];
    const isSilent = isDjango && commands.length === 0;
    return detected(isSilent ? undefined : commands, ...more.findings);
  }

  #django(root: string, manageFile: string, dependencies: readonly string[]): Framework {
    const tree = this.#tree;
    const entries = walkFiles(tree, root, 3).filter((path) => /(^|\/)(wsgi|asgi)\.py$/.test(path));
    const beginnings = [manageFile, ...entries];
    const common = { root, configured: this.#configuration.config.pythonpath ?? [], dependencies };
    const before = detectPythonPath(tree, { ...common, files: beginnings });
    const settings = this.#settings(root, manageFile, before.directories);
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

  #settings(root: string, manageFile: string, pythonPath: readonly string[]) {
    const { config, origins } = this.#configuration;
    const wish = config.settings ?? this.#context.config['DJANGO_SETTINGS_MODULE'];
    const evidence = origins.settings ?? 'config DJANGO_SETTINGS_MODULE';
    const configured =
      wish === undefined ? {} : { configured: { name: wish, evidence, why: 'set by you' } };
    const suggested = suggestedSettings(this.#containers);
    const request = { root, manageFile, pythonPath, suggested, ...configured };
    return detectSettingsModule(this.#tree, request);
  }

  #withoutDjango(root: string, dependencies: readonly string[], named: NamedProcesses): Framework {
    const tree = this.#tree;
    const { config } = this.#configuration;
    const need = detectDatabaseNeed(tree, root, dependencies);
    const dialect = need && detectDatabaseDialect(tree, root, dependencies);
    const wantsDatabase = config.database ?? need !== undefined;
    const databaseDriver = dialect?.driver;
    const common = { madeFiles: [], wantsDatabase, databaseDriver };
    const after = need ? [dialect?.finding ?? need] : [];
    const found = this.#entry(root, named, dependencies);
    const node = found ? undefined : this.#node(root, named, dependencies);
    if (node !== undefined) {
      const { value: nodeApp, findings } = node;
      const wanted = { madeFiles: [], wantsDatabase: nodeApp.wantsDatabase };
      return { ...wanted, nodeApp, pythonPath: [root], startFiles: [], findings };
    }
    if (found === undefined) {
      const site = named.processes['web'] === undefined ? this.#site(root) : undefined;
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

  #entry(root: string, named: NamedProcesses, dependencies: readonly string[]) {
    const { config } = this.#configuration;
    try {
      const webCommand = named.processes['web']?.command;
      const configured = configuredEntry(this.#configuration);
      const contained = servedApplications(this.#containers, root);
      return detectEntryPoint(this.#tree, root, { configured, webCommand, contained });
    } catch (error) {
      // A web process of the project's own is enough, and files need none.
      const isEnough =
        named.processes['web'] !== undefined ||
        this.#site(root) !== undefined ||
        this.#node(root, named, dependencies) !== undefined;
      if (!isEnough || config.entry !== undefined) throw error;
      return undefined;
    }
  }

  #node(root: string, named: NamedProcesses, dependencies: readonly string[]) {
    const { config } = this.#configuration;
    if (config.entry !== undefined) return undefined;
    const web = named.processes['web'];
    const hasPythonDependencies = dependencies.length > 0;
    return detectNodeApp(this.#tree, { root, config, web, hasPythonDependencies });
  }

  #site(root: string) {
    return detectSite(this.#tree, root, this.#configuration.config);
  }

  #variables(
    root: string,
    { pythonPath, startFiles, settings, databaseDriver, given }: Framework,
  ): Variables {
    const isDjango = settings !== undefined;
    const beside = ['config.py', 'settings.py'].map((name) => under(root, name));
    const files = [...new Set([...startFiles, ...beside])];
    const known = [
      ...Object.keys(standInConfig()),
      ...Object.keys(this.#context.config),
      ...Object.keys(this.#configuration.config.env ?? {}),
      ...PROCESS_VARIABLES,
    ];
    return detectVariables({
      given: given ?? [],
      databaseDriver,
      reads: [...environmentReads(this.#tree, files), ...settingsFields(this.#tree, files)],
      known: new Set(known),
      committed: new Set(committedVariables(this.#tree, ['', ...pythonPath])),
      contained: containerValues(this.#tree, this.#containers),
      isDjango,
      productionKey: isDjango
        ? undefined
        : productionKeyIn(files.map((file) => this.#tree.read(file) ?? '')),
    });
  }
}

function configuredEntry({ config, origins, file }: Configuration): ConfiguredEntry | undefined {
  const { entry, pythonpath: paths = [] } = config;
  return entry === undefined ? undefined : { entry, setIn: origins.entry ?? file, paths };
}

const NO_CONTAINERS: Containers = {
  services: [],
  hosts: new Set(),
  imageSteps: [],
  findings: [],
};

/** What every process has anyway. */
const PROCESS_VARIABLES = ['HOME', 'PATH', 'PORT', 'LANG', 'TZ', 'PWD', 'DJANGO_SETTINGS_MODULE'];
