// A module that is not installed, and the distribution that brings it.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectFrame, projectWhere, type Traceback } from './traceback.ts';

/** Distributions whose name tells little of their module. */
const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  allauth: 'django-allauth',
  bs4: 'beautifulsoup4',
  corsheaders: 'django-cors-headers',
  crispy_forms: 'django-crispy-forms',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  debug_toolbar: 'django-debug-toolbar',
  decouple: 'python-decouple',
  dj_database_url: 'dj-database-url',
  django_extensions: 'django-extensions',
  django_filters: 'django-filter',
  dotenv: 'python-dotenv',
  environ: 'django-environ',
  flask_sqlalchemy: 'Flask-SQLAlchemy',
  jose: 'python-jose',
  jwt: 'PyJWT',
  magic: 'python-magic',
  MySQLdb: 'mysqlclient',
  PIL: 'Pillow',
  pkg_resources: 'setuptools<81',
  psycopg: 'psycopg[binary]',
  psycopg2: 'psycopg2-binary',
  rest_framework: 'djangorestframework',
  sklearn: 'scikit-learn',
  storages: 'django-storages',
  yaml: 'PyYAML',
};

export function missingModule(input: DiagnosisInput): ErrorBody | undefined {
  const traceback = lastTraceback(input.logTail);
  const module = /No module named '([^']+)'/.exec(traceback?.message ?? '')?.[1];
  if (module === undefined || traceback === undefined) return undefined;
  if (isOwnModule(module, traceback)) return missingFile(module, traceback);
  const distribution = distributionOf(module);
  const isDevelopment = (input.developmentOnly ?? []).includes(distribution.toLowerCase());
  return {
    code: 'MODULE_MISSING',
    message: isDevelopment
      ? `Module "${module}" is not installed: ${distribution} is in a development group only.`
      : `Module "${module}" is not installed.`,
    where: projectWhere(traceback) ?? listedIn(traceback, input.settingsModule),
    hint: isDevelopment
      ? `move ${distribution} to the main dependencies, or do not import it in production`
      : `add ${distribution} to the dependencies, or the missing file to the source`,
  };
}

/** A part of a package that the source holds itself. */
function isOwnModule(module: string, traceback: Traceback): boolean {
  const [top = '', ...rest] = module.split('.');
  const directories = projectFrame(traceback)?.file.split('/').slice(0, -1) ?? [];
  return rest.length > 0 && directories.includes(top);
}

function missingFile(module: string, traceback: Traceback): ErrorBody {
  const path = module.replaceAll('.', '/');
  return {
    code: 'MODULE_MISSING',
    message: `Module "${module}" is not in the source.`,
    where: projectWhere(traceback),
    hint: `add ${path}.py or ${path}/ to the source; a file that git ignores is not sent: git check-ignore -v ${path}.py`,
  };
}

/** Django imports what a setting lists, so no line of the project is in the traceback. */
function listedIn(traceback: Traceback, settingsModule: string | undefined): string | undefined {
  const isListed = traceback.frames.some((frame) => /\/django\/apps\//.test(frame.file));
  return isListed ? `INSTALLED_APPS in ${settingsModule ?? 'the settings'}` : undefined;
}

function distributionOf(module: string): string {
  const top = module.split('.')[0] ?? module;
  return DISTRIBUTIONS[top] ?? top.replaceAll('_', '-');
}
