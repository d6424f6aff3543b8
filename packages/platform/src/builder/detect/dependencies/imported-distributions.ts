// A project without any dependency file: the distributions of the modules it imports, as far as their
// names are certain. Guessing others would install what nobody asked for.
import { logicalLines } from '../python-source.ts';
import { walkFiles, type SourceTree } from '../source-tree.ts';
import { sourceOf, type Candidate } from './dependency-source.ts';
import { isProductionPath } from './production-names.ts';

const DEPTH_MAX = 6;
const FILES_MAX = 1_000;
const IMPORT_LINE = /^[ \t]*(?:import|from)[ \t]+([^\n#]+)/gm;

/** Module -> distribution. */
const KNOWN: Readonly<Record<string, string>> = {
  aiohttp: 'aiohttp',
  allauth: 'django-allauth',
  alembic: 'alembic',
  asyncpg: 'asyncpg',
  bottle: 'bottle',
  bs4: 'beautifulsoup4',
  celery: 'celery',
  channels: 'channels',
  corsheaders: 'django-cors-headers',
  crispy_forms: 'django-crispy-forms',
  dateutil: 'python-dateutil',
  decouple: 'python-decouple',
  dj_database_url: 'dj-database-url',
  django: 'django',
  django_filters: 'django-filter',
  dotenv: 'python-dotenv',
  django_extensions: 'django-extensions',
  environ: 'django-environ',
  falcon: 'falcon',
  fastapi: 'fastapi',
  flask: 'flask',
  flask_cors: 'flask-cors',
  flask_login: 'flask-login',
  flask_migrate: 'flask-migrate',
  flask_sqlalchemy: 'flask-sqlalchemy',
  flask_wtf: 'flask-wtf',
  httpx: 'httpx',
  jinja2: 'jinja2',
  jwt: 'pyjwt',
  markdown: 'markdown',
  mezzanine: 'mezzanine',
  mptt: 'django-mptt',
  numpy: 'numpy',
  pandas: 'pandas',
  PIL: 'pillow',
  psycopg: 'psycopg[binary]',
  psycopg2: 'psycopg2-binary',
  pydantic: 'pydantic',
  pyramid: 'pyramid',
  redis: 'redis',
  requests: 'requests',
  rest_framework: 'djangorestframework',
  sanic: 'sanic',
  sqlalchemy: 'sqlalchemy',
  starlette: 'starlette',
  storages: 'django-storages',
  taggit: 'django-taggit',
  tornado: 'tornado',
  wagtail: 'wagtail',
  werkzeug: 'werkzeug',
  whitenoise: 'whitenoise',
  wtforms: 'wtforms',
  yaml: 'pyyaml',
};
const DISTRIBUTIONS = new Set(Object.values(KNOWN).map((name) => name.replace(/\[.*/, '')));

export function isKnownDistribution(name: string): boolean {
  return DISTRIBUTIONS.has(name);
}

export function importedIn(tree: SourceTree, root: string): Candidate | undefined {
  const files = walkFiles(tree, root, DEPTH_MAX).filter((path) => path.endsWith('.py'));
  const own = new Set(files.flatMap((path) => topLevelModules(path, root)));
  const evidence = new Map<string, string>();
  for (const path of files.filter(isProductionPath).slice(0, FILES_MAX)) {
    const text = tree.read(path) ?? '';
    const isNew = (module: string): boolean =>
      KNOWN[module] !== undefined && !own.has(module) && !evidence.has(module);
    // Reading a file line by line takes ten times as long as looking whether that is worth it.
    const imported = [...text.matchAll(IMPORT_LINE)].map(([, rest = '']) => rest.split(/\W+/));
    if (!text.includes('INSTALLED_APPS') && !imported.flat().some(isNew)) continue;
    for (const { module, line } of importsOf(text)) {
      if (isNew(module)) evidence.set(module, `${path}:${line}`);
    }
  }
  if (evidence.size === 0) return undefined;
  const lines = [...evidence].map(([module, where]) => {
    const distribution = KNOWN[module] ?? module;
    const name = distribution.replace(/\[.*/, '');
    const text = name === 'django' ? djangoRequirement(tree, files) : distribution;
    return { name, text, evidence: where };
  });
  const source = sourceOf('requirements', {
    directory: root,
    files: [],
    lines,
    requirements: lines.map(({ text }) => `${text}\n`).join(''),
  });
  return { source, why: 'no dependency file: these are imported; write them to requirements.txt' };
}

/** `src/shop/web.py` may be imported as `src` or as `shop`. */
function topLevelModules(path: string, root: string): string[] {
  const parts = path.slice(root === '' ? 0 : root.length + 1).split('/');
  const inside = /^(src|apps|lib)$/.test(parts[0] ?? '') ? parts.slice(0, 2) : parts.slice(0, 1);
  return inside.map((part) => part.replace(/\.py$/, ''));
}

interface Import {
  readonly module: string;
  readonly line: number;
}

/** What is imported right after `try:` the project can do without; what Django is to load, it cannot. */
function importsOf(source: string): Import[] {
  const lines = logicalLines(source);
  return lines.flatMap(({ code, text, line }, at) => {
    const previous = lines[at - 1]?.code ?? '';
    if (/^(try\s*:|if (typing\.)?TYPE_CHECKING\b)/.test(previous)) return [];
    if (/^INSTALLED_APPS\s*\+?=/.test(code))
      return appsIn(text).map((module) => ({ module, line }));
    const from = /^from\s+(\w+)[\w.]*\s+import\b/.exec(code)?.[1];
    if (from !== undefined) return [{ module: from, line }];
    const names = /^import\s+(.+)$/.exec(code)?.[1]?.split(',') ?? [];
    return names.map((name) => ({ module: /^\s*(\w+)/.exec(name)?.[1] ?? '', line }));
  });
}

/** `"rest_framework"`, `'wagtail.admin'` */
function appsIn(text: string): string[] {
  return [...text.matchAll(/["']([A-Za-z_]\w*)[\w.]*["']/g)].map(([, module = '']) => module);
}

/** `startproject` writes its version into the settings. */
function djangoRequirement(tree: SourceTree, files: readonly string[]): string {
  for (const path of files.filter((one) => /settings/.test(one))) {
    const version = /using Django (\d+\.\d+)/.exec(tree.read(path) ?? '')?.[1];
    if (version !== undefined) return `django==${version}.*`;
  }
  return 'django';
}
