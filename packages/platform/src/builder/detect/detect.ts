// All rules that need no environment, in order. What imports the project comes later (steps/).
import type { Finding } from '../../domain/release.ts';
import { detectAppRoot } from './app-root.ts';
import { detectDatabaseNeed } from './database-need.ts';
import { detectDependencyFiles, type DependencySource } from './dependency-files.ts';
import { detectEntryPoint, type EntryPoint } from './entry-point.ts';
import { finding } from './evidence.ts';
import { detectProcesses, type NamedProcesses } from './processes.ts';
import { detectPythonVersion } from './python-version.ts';
import { detectSettingsModule, type SettingsModule } from './settings-module.ts';
import type { SourceTree } from './source-tree.ts';
import { readTandemToml, type TandemConfig } from './tandem-toml.ts';

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
  /** Set for Django. */
  readonly settings?: SettingsModule;
  /** Set for everything else but a project that only a Procfile describes. */
  readonly entry?: EntryPoint;
  readonly named: NamedProcesses;
  /** Not for Django. */
  readonly wantsDatabase: boolean;
  readonly findings: readonly Finding[];
}

export function detect(tree: SourceTree, context: DetectContext): Detection {
  const configuration = readTandemToml(tree);
  const { config } = configuration;
  const root = detectAppRoot(tree, config.root);
  const { directory, manageFile } = root.value;
  const dependencies = detectDependencyFiles(tree, directory, config.requirements);
  const python = detectPythonVersion(tree, {
    directories: [dependencies.value.directory, directory, ''],
    available: context.pythonVersions,
    ...(config.python === undefined ? {} : { configured: config.python }),
  });
  const named = detectProcesses(tree, directory, configuration);
  const common = {
    root: directory,
    config,
    dependencies: dependencies.value,
    pythonVersion: python.value,
    named,
  };
  const findings = [...root.findings, ...dependencies.findings, ...python.findings];
  if (manageFile !== undefined && config.entry === undefined) {
    const settings = djangoSettings(tree, directory, manageFile, config, context);
    const framework = finding(
      'framework',
      'django',
      'manage.py imports its management',
      manageFile,
    );
    const all = [framework, ...findings, ...settings.findings, ...named.findings];
    return { ...common, settings: settings.value, wantsDatabase: false, findings: all };
  }
  return { ...common, ...withoutDjango(tree, common, findings) };
}

function djangoSettings(
  tree: SourceTree,
  root: string,
  manageFile: string,
  config: TandemConfig,
  context: DetectContext,
) {
  const wish = config.settings ?? context.config['DJANGO_SETTINGS_MODULE'];
  const evidence = config.settings === undefined ? 'config DJANGO_SETTINGS_MODULE' : 'tandem.toml';
  const configured =
    wish === undefined ? {} : { configured: { name: wish, evidence, why: 'set by you' } };
  return detectSettingsModule(tree, { root, manageFile, ...configured });
}

function withoutDjango(
  tree: SourceTree,
  common: Omit<Detection, 'findings' | 'wantsDatabase'>,
  before: readonly Finding[],
): Pick<Detection, 'entry' | 'wantsDatabase' | 'findings'> {
  const { root, config, named, dependencies } = common;
  const need = detectDatabaseNeed(tree, root, dependencies.names);
  const wantsDatabase = config.database ?? need !== undefined;
  const after = [...named.findings, ...(need ? [need] : [])];
  try {
    const entry = detectEntryPoint(tree, root, config.entry);
    const findings = [...entry.findings, ...before, ...after];
    return { entry: entry.value, wantsDatabase, findings };
  } catch (error) {
    // A web process of the project's own is enough.
    if (named.processes['web'] === undefined || config.entry !== undefined) throw error;
    const framework = finding('framework', 'procfile', 'only its web process is known');
    return { wantsDatabase, findings: [framework, ...before, ...after] };
  }
}
