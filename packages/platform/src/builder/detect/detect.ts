// All rules that need no environment, in order. What imports the project comes later (steps/).
import type { Finding, StaticRoute } from '../../domain/release.ts';
import { detectNodeBuilds, type NodeBuild } from '../node/detect-node-build.ts';
import { standInConfig } from '../steps/stand-in-config.ts';
import type { NodeApp } from '../node/detect-node-app.ts';
import { appProcesses, appRelease } from './app-processes.ts';
import { detectAppRoot } from './app-root.ts';
import { cachedTree } from './cached-tree.ts';
import { committedVariables } from './committed-variables.ts';
import { containerValues } from './containers/container-variables.ts';
import { readContainers } from './containers/containers.ts';
import { readConfiguration, type Configuration } from './configuration.ts';
import { detectDependencyFiles, type DependencySource } from './dependency-files.ts';
import type { EntryPoint } from './entry-point.ts';
import { environmentReads } from './environment-reads.ts';
import { bundleConfigUse } from './epio/bundle-config.ts';
import { dataDirectoryCandidates } from './epio/data-directory.ts';
import type { Detected } from './evidence.ts';
import { djangoFramework, otherFramework, type Framework, type Project } from './framework.ts';
import type { Link } from './linked-tree.ts';
import type { NamedProcesses } from './processes.ts';
import { scanningOnce } from './python-source.ts';
import { detectPythonVersion } from './python-version.ts';
import { settingsFields } from './settings-classes.ts';
import type { MadeFile } from './settings-hook.ts';
import type { SettingsModule } from './settings-module.ts';
import { under, type SourceTree } from './source-tree.ts';
import { detectSystemPackages, type SystemPackageWishes } from './system-packages.ts';
import type { TandemConfig } from './tandem-toml.ts';
import { detectVariables, productionKeyIn, type Variables } from './variables.ts';
import { answeredUrls, assertOnVolume, configuredMappings } from './static-mappings.ts';
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
  /** Of SQLAlchemy, in the URL of the database. */
  readonly databaseDriver?: string | undefined;
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

class Detector {
  readonly #tree: SourceTree;
  readonly #context: DetectContext;
  readonly #configuration: Configuration;

  constructor(source: SourceTree, context: DetectContext) {
    this.#context = context;
    this.#configuration = readConfiguration(source, context.config);
    this.#tree = this.#configuration.tree;
  }

  run(): Detection {
    const tree = this.#tree;
    const { config, origins, links, filesOnly } = this.#configuration;
    const root = detectAppRoot(tree, config.root, origins.root);
    const { directory, manageFile } = root.value;
    const dependencies = detectDependencyFiles(tree, directory, {
      ...config,
      setIn: origins.requirements,
    });
    const python = this.#python(directory, dependencies.value);
    const { names } = dependencies.value;
    const project: Project = {
      tree,
      configuration: this.#configuration,
      containers: readContainers(tree, directory),
      config: this.#context.config,
      root: directory,
      dependencies: names,
    };
    const named = appProcesses(project, manageFile !== undefined);
    const framework =
      manageFile !== undefined && config.entry === undefined && filesOnly === undefined
        ? djangoFramework(project, manageFile)
        : otherFramework(project, named);
    const { releaseCommands: _release, site, findings, ...read } = framework;
    const { startFiles: _startFiles, given: _given, ...kept } = read;
    const release = appRelease(project, named, framework);
    const mappings = configuredMappings(tree, directory, config.static, origins.static);
    const variables = this.#variables(project, framework);
    const bundleConfig = bundleConfigUse(tree, directory);
    const dataDirectory = bundleConfig?.dataDirectory ?? this.#configuration.dataDirectory;
    const volume = this.#volume(project, framework, dataDirectory);
    assertOnVolume(mappings.value, volume.value.directories);
    const beyond = this.#beyondPython(project, dependencies.value, framework);
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
        ...beyond.findings,
        ...volume.findings,
        ...mappings.findings,
        ...named.findings,
        ...release.findings,
        ...project.containers.findings,
      ],
    };
  }

  #python(root: string, dependencies: DependencySource): Detected<string> {
    const { config } = this.#configuration;
    return detectPythonVersion(this.#tree, {
      directories: [dependencies.directory, root, ''],
      root,
      available: this.#context.pythonVersions,
      dependencies,
      ...(config.python === undefined ? {} : { configured: config.python }),
    });
  }

  #volume(
    { root, dependencies }: Project,
    framework: Framework,
    dataDirectory: string | undefined,
  ) {
    return detectVolume(this.#tree, {
      root,
      config: this.#configuration.config,
      dependencies,
      kept: [...dataDirectoryCandidates(dataDirectory), ...this.#configuration.kept],
      hasDatabase: this.#context.config['DATABASE_URL'] !== undefined,
      ...framework,
    });
  }

  /** What the app needs of the system, and a front end that is built. */
  #beyondPython(
    { root, containers }: Project,
    dependencies: DependencySource,
    { settings, nodeApp, site }: Framework,
  ): Detected<Pick<Detection, 'systemPackages' | 'nodeBuilds'>> {
    const tree = this.#tree;
    const { config, origins, file } = this.#configuration;
    const project = { root, config, dependencies, ...(settings ? { settings } : {}) };
    const { image } = containers;
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

  #variables(
    { root, containers }: Project,
    { pythonPath, startFiles, settings, entry, databaseDriver, given }: Framework,
  ): Variables {
    const isDjango = settings !== undefined;
    const factory = entry?.factory === true ? entry.attribute : undefined;
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
      reads: [
        ...environmentReads(this.#tree, files, factory),
        ...settingsFields(this.#tree, files),
      ],
      known: new Set(known),
      committed: new Set(committedVariables(this.#tree, ['', ...pythonPath])),
      contained: containerValues(this.#tree, containers),
      isDjango,
      productionKey: isDjango
        ? undefined
        : productionKeyIn(files.map((file) => this.#tree.read(file) ?? '')),
    });
  }
}

/** What every process has anyway. */
const PROCESS_VARIABLES = ['HOME', 'PATH', 'PORT', 'LANG', 'TZ', 'PWD', 'DJANGO_SETTINGS_MODULE'];
