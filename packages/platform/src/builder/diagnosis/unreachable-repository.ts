// A requirement from a repository that git could not fetch: for want of a network, of leave, or of what
// it asks for. Told apart by what git says (in English: the sandbox has no other locale).
import type { ErrorBody } from '@tandem/protocol';
import { normalizeName } from '../detect/requirements-file.ts';
import { whereOf, type InstallFailure } from './evidence.ts';

type Reason = 'refused' | 'no-reference' | 'no-repository' | 'no-answer';

const REASONS: readonly [Reason, RegExp][] = [
  [
    'refused',
    /could not read (?:Username|Password)|Authentication failed|Permission denied|Host key verification failed|returned error: 40[13]/,
  ],
  [
    'no-reference',
    /couldn't find remote ref|not our ref|unadvertised object|(?:Remote branch|reference) [^\n]* not found|Server does not allow request for/,
  ],
  [
    'no-repository',
    /repository '[^\n]*' not found|Repository not found|does not appear to be a git repository|returned error: 404/,
  ],
];
/** What locks are made by, for the hint. */
const LOCKS: Readonly<Record<string, readonly [origin: string, command: string]>> = {
  'uv.lock': ['pyproject.toml', 'uv lock'],
  'poetry.lock': ['pyproject.toml', 'poetry lock'],
  'pdm.lock': ['pyproject.toml', 'pdm lock'],
  'Pipfile.lock': ['Pipfile', 'pipenv lock'],
};

export function unreachableRepository(failure: InstallFailure): ErrorBody | undefined {
  const start = failure.logTail.indexOf('Git operation failed');
  if (start < 0) return undefined;
  const detail = failure.logTail.slice(start);
  const requirement = /Failed to (?:download and )?build `([^`]+)`/.exec(failure.logTail)?.[1];
  const [, named, written = ''] =
    /^([\w.-]+)\s*(?:\[[^\]]*\])?\s*@\s*git\+(\S+)/.exec(requirement ?? '') ?? [];
  const url = withoutCredentials(
    /git fetch [^\n]*? '([a-z+]+:[^']+)'/.exec(detail)?.[1] ?? written,
  );
  const reference = /^[a-z+]+:\/\/[^/]*\/[^@#]*@([^#]+)/.exec(
    written.replace(/\/\/[^/@]*@/, '//'),
  )?.[1];
  const name = named === undefined ? undefined : normalizeName(named);
  const where = whereOf(failure, name === undefined ? [] : [name]);
  const reason = REASONS.find(([, pattern]) => pattern.test(detail))?.[0] ?? 'no-answer';
  const asked = { url, name: name ?? 'the package', where, reference, said: lastWords(detail) };
  return {
    code: 'REPOSITORY_UNREACHABLE',
    message: `${named ?? 'A requirement'} comes from the repository ${url}, ${explain(reason, asked)}.`,
    where,
    hint: hint(reason, asked),
  };
}

interface Asked {
  readonly url: string;
  readonly name: string;
  readonly where: string;
  readonly reference: string | undefined;
  readonly said: string;
}

function explain(reason: Reason, { url, reference, said }: Asked): string {
  if (reason === 'refused') return `which does not let us in: ${said}`;
  if (reason === 'no-reference') return `which has no ${reference ?? 'such commit'}`;
  if (reason === 'no-repository') return `and there is none, or only for those who may see it`;
  return `and ${hostOf(url)} did not answer: ${said}`;
}

function hint(reason: Reason, asked: Asked): string {
  const release = instead(asked);
  if (reason === 'no-reference') {
    return `push ${asked.reference ?? 'it'} there, or name a commit, tag or branch that is\nor ${release}`;
  }
  if (reason === 'no-answer') {
    return `make ${hostOf(asked.url)} reachable from this machine, and deploy again\nor ${release}`;
  }
  return `give git the credentials, for one deploy or for all:\n${credentials(asked.url)}\nor ${release}`;
}

/** Where it is written, which for a lock is not where it is found. */
function instead({ name, where }: Asked): string {
  const [path = ''] = where.split(':');
  const lock = LOCKS[path.split('/').at(-1) ?? ''];
  const place = lock === undefined ? where : path.replace(/[^/]*$/, lock[0]);
  const again = lock === undefined ? '' : `, then: ${lock[1]}`;
  return `name a released version, ${name}==X.Y, instead of the repository in ${place}${again}`;
}

/** git rewrites the address by its own configuration, so no file of the project has to change. */
function credentials(url: string): string {
  const base = /^([a-z+]+:\/\/[^/]+\/)/.exec(url)?.[1] ?? url;
  const key = `url.https://USER:TOKEN@${hostOf(url)}/.insteadOf`;
  return `tandem config set GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=${key} GIT_CONFIG_VALUE_0=${base}`;
}

/** The last line of git that says what was wrong, without the address that is named anyway. */
function lastWords(detail: string): string {
  const lines = detail.split('\n').filter((line) => /^\s*(fatal|ssh|ERROR):? ?/.test(line));
  const telling = lines.find((line) => !/Could not read from remote/.test(line)) ?? lines.at(-1);
  const said = telling ?? detail.trim().split('\n').at(-1) ?? '';
  return withoutCredentials(
    said
      .trim()
      .replace(/^(fatal|ERROR): /, '')
      .replace(/^unable to access '[^']*': /, ''),
  );
}

function hostOf(url: string): string {
  return /^[a-z+]+:\/\/(?:[^/@]*@)?([^/]+)/.exec(url)?.[1] ?? url;
}

/** The user of ssh stays: it is part of the address. */
function withoutCredentials(text: string): string {
  return text.replace(/\b(https?:\/\/)[^/@\s']*@/g, '$1');
}
