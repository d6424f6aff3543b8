// A module that is not there: not installed, for developers only, not in the source, or in a
// directory that Python does not look in.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { absentModule, guiltyPackage } from './import-error.ts';
import { copyTemplate } from './missing-template.ts';
import { distributionOf, plainName } from './tables/distributions.ts';
import { lastTraceback, projectFrame, projectWhere, type Traceback } from './traceback.ts';

/** Names that nobody publishes a package under: the developer's own file, often not committed. */
const LOCAL =
  /(?:^|[._])(?:local|private|secrets?|credentials?|passwords?|keys?|config|configuration|settings|env|dev|prod|production)(?:$|[._])/i;

export function missingModule(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const module = traceback && absentModule(traceback);
  if (module === undefined || traceback === undefined) return undefined;
  const place = {
    module,
    where: projectWhere(traceback) ?? listedIn(traceback, input.settingsModule),
  };
  if (isIgnored(module, input) || isOwnModule(module, traceback, input)) {
    return missingFile(place, input);
  }
  const submodule = (input.emptySubmodules ?? []).find((path) => lastPart(path) === place.module);
  if (submodule !== undefined) return notCheckedOut(place, submodule);
  const directory = input.ownModules?.[module.split('.')[0] ?? ''];
  if (directory !== undefined && directory !== '') return notOnPath(place, directory);
  return LOCAL.test(module) && guiltyPackage(traceback) === undefined
    ? missingFile(place, input)
    : notInstalled(place, traceback, input);
}

interface Place {
  readonly module: string;
  readonly where: string | undefined;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function notCheckedOut({ module, where }: Place, path: string): Cause {
  return {
    code: 'MODULE_MISSING',
    message: `Module "${module}" is a git submodule, and ${path}/ is empty.`,
    where,
    hint: 'git submodule update --init, then: tandem deploy',
  };
}

function notInstalled(
  { module, where }: Place,
  traceback: Traceback,
  input: DiagnosisInput,
): Cause {
  const distribution = distributionOf(module);
  const plain = plainName(distribution);
  const isDevelopment = input.developmentOnly?.[plain] !== undefined;
  const by = guiltyPackage(traceback);
  const forWhom = by === undefined || by === 'django' ? '' : `; the package "${by}" needs it`;
  return {
    code: 'MODULE_MISSING',
    message: isDevelopment
      ? `Module "${module}" is not installed: ${distribution} is in a development group only.`
      : `Module "${module}" is not installed${forWhom}.`,
    where,
    hint: isDevelopment
      ? developmentHint(distribution, input)
      : `add ${distribution} to the dependencies, or the missing file to the source`,
  };
}

/** Settings for production, when there are any, need none of it. */
function developmentHint(distribution: string, input: DiagnosisInput): string {
  const { settingsModule, developmentOnly } = input;
  const group = developmentOnly?.[plainName(distribution)] ?? '';
  const install = `install its group too, in tandem.toml: groups = ["${group}"]\nor `;
  const move = `${group === '' ? '' : install}move ${distribution} to the main dependencies, or do not import it in production`;
  return settingsModule === undefined
    ? move
    : `${move}\nor name other settings in tandem.toml: settings = "PACKAGE.settings.production"`;
}

function isIgnored(module: string, { ignoredFiles }: DiagnosisInput): boolean {
  const path = `${module.replaceAll('.', '/')}.py`;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (ignoredFiles ?? []).some((ignored) => ignored === path || ignored === name);
}

/** A part of a package that the source holds itself. */
function isOwnModule(module: string, traceback: Traceback, input: DiagnosisInput): boolean {
  const [top = '', ...rest] = module.split('.');
  const directories = projectFrame(traceback)?.file.split('/').slice(0, -1) ?? [];
  if (rest.length === 0) return false;
  return directories.includes(top) || input.ownModules?.[top] === '';
}

function missingFile({ module, where }: Place, input: DiagnosisInput): Cause {
  const path = module.replaceAll('.', '/');
  const isKnown = isIgnored(module, input);
  const because = isKnown ? ': .gitignore names it, so it is never sent' : '';
  const hint = isKnown
    ? `read its values from variables: tandem config set NAME=VALUE\nor commit a ${path}.py without secrets`
    : `add ${path}.py or ${path}/ to the source; a file that git ignores is not sent: git check-ignore -v ${path}.py`;
  const message = `Module "${module}" is not in the source${because}.`;
  const copy = copyTemplate(module, input);
  return { code: 'MODULE_MISSING', message, where, hint: copy ?? hint };
}

function notOnPath({ module, where }: Place, directory: string): Cause {
  return {
    code: 'MODULE_MISSING',
    message: `Module "${module}" lies in ${directory}/, where Python does not look.`,
    where,
    hint: `when the app lies there, say so in tandem.toml: root = "${directory}"\nelse import it as ${directory.replaceAll('/', '.')}.${module}`,
  };
}

/** Django imports what a setting lists, so no line of the project is in the traceback. */
function listedIn(traceback: Traceback, settingsModule: string | undefined): string | undefined {
  const isListed = traceback.frames.some((frame) => /\/django\/apps\//.test(frame.file));
  return isListed ? `INSTALLED_APPS in ${settingsModule ?? 'the settings'}` : undefined;
}
