// Which names of files, groups and extras mean production and which mean development. Pure words:
// `requirements-prod-heroku.txt` is judged by `prod` and `heroku`.

/** Best first. */
const PRODUCTION = [
  ...['production', 'prod', 'prd', 'live', 'deploy', 'deployment', 'deployed', 'release'],
  ...['server', 'web', 'wsgi', 'asgi', 'gunicorn', 'runtime', 'container', 'docker'],
  ...['heroku', 'dokku', 'staging', 'stage'],
];
/** Of extras and groups: what the platform brings a service for. */
const SERVICES = ['postgres', 'postgresql', 'postgis', 'psql', 'pg', 'psycopg', 'psycopg2'];
const DEVELOPMENT = new Set([
  ...['dev', 'devel', 'develop', 'development', 'developer', 'local', 'debug', 'tools', 'tooling'],
  ...['test', 'tests', 'testing', 'tox', 'ci', 'travis', 'coverage', 'cov', 'pytest', 'nox'],
  ...['doc', 'docs', 'documentation', 'sphinx', 'mkdocs', 'rtd', 'readthedocs', 'examples'],
  ...['lint', 'linting', 'linters', 'linter', 'style', 'format', 'formatting', 'black', 'flake8'],
  ...['mypy', 'typing', 'types', 'typecheck', 'qa', 'quality', 'precommit', 'build', 'packaging'],
  ...['bench', 'benchmark', 'benchmarks', 'profiling', 'optional', 'notebook', 'jupyter'],
]);
const BASE = ['requirements', 'base', 'common', 'main', 'core', 'default', 'app', 'project', 'all'];

export type NameClass = 'production' | 'base' | 'other' | 'development';

export function classify(name: string): NameClass {
  const words = wordsOf(name);
  if (words.some((word) => DEVELOPMENT.has(word))) return 'development';
  if (words.some((word) => PRODUCTION.includes(word))) return 'production';
  return words.every((word) => BASE.includes(word)) ? 'base' : 'other';
}

/** No part of it names development. */
export function isProductionPath(path: string): boolean {
  return path.split('/').every((part) => classify(part.replace(/\.py$/, '')) !== 'development');
}

/** Smaller is better; among names of one class. */
export function rank(name: string): number {
  const order = [...PRODUCTION, ...BASE];
  const places = wordsOf(name).map((word) => order.indexOf(word));
  return Math.min(order.length, ...places.filter((place) => place >= 0));
}

/** Whether an extra or a group belongs to what runs on a server; `wished` are those of the user. */
export function isForProduction(name: string, wished: readonly string[] = []): boolean {
  if (wished.includes(name)) return true;
  const words = wordsOf(name);
  if (words.some((word) => DEVELOPMENT.has(word))) return false;
  return words.some((word) => PRODUCTION.includes(word) || SERVICES.includes(word));
}

function wordsOf(name: string): string[] {
  return name
    .toLowerCase()
    .replace('pre-commit', 'precommit')
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
}
