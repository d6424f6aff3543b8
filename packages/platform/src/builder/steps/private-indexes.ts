// Package indexes that the app's config names, as pip and uv call them. Their addresses may hold
// credentials, so locks and keys only ever see a variable; the address itself travels in the
// environment of the steps that need it.

import type { DeclaredIndex } from '../detect/dependencies/declared-indexes.ts';

export interface PrivateIndexes {
  /** For a requirements file: `--extra-index-url ${TANDEM_INDEX_1}`. */
  readonly lines: readonly string[];
  /** Values of the variables, and what uv itself wants to know. */
  readonly env: Readonly<Record<string, string>>;
  /** Config without the variables that uv would read a second time. */
  readonly config: Readonly<Record<string, string>>;
  /** Where the default index is: then the platform's own does not count. */
  readonly replacesDefault: boolean;
  /** Puts variables for addresses into a lock. */
  hide(text: string): string;
  /** Addresses without credentials: part of keys. */
  readonly identity: readonly string[];
}

const DEFAULT = ['UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL'];
const EXTRA = ['UV_INDEX', 'UV_EXTRA_INDEX_URL', 'PIP_EXTRA_INDEX_URL'];
const LINKS = ['UV_FIND_LINKS', 'PIP_FIND_LINKS'];
const INSECURE = ['UV_INSECURE_HOST', 'PIP_TRUSTED_HOST'];
const PUBLIC = /^https?:\/\/(pypi\.org|pypi\.python\.org)\/simple\/?$/;

interface Index {
  readonly option: '--index-url' | '--extra-index-url' | '--find-links' | undefined;
  readonly url: string;
  /** As it stands in files of the source, where that is different. */
  readonly declared?: string;
}

export function privateIndexes(
  config: Readonly<Record<string, string>>,
  declared: readonly Pick<DeclaredIndex, 'name' | 'url'>[],
): PrivateIndexes {
  const [first] = urlsIn(config, DEFAULT);
  const indexes: Index[] = [
    ...(first === undefined ? [] : [{ option: '--index-url', url: first } as const]),
    ...urlsIn(config, EXTRA).map((url) => ({ option: '--extra-index-url', url }) as const),
    ...urlsIn(config, LINKS).map((url) => ({ option: '--find-links', url }) as const),
    ...withCredentials(config, declared),
  ].filter(({ url }) => !PUBLIC.test(url));
  const variable = (at: number): string => `TANDEM_INDEX_${at}`;
  const hosts = words(config, INSECURE).join(' ');
  const read = new Set([...DEFAULT, ...EXTRA, ...LINKS, ...INSECURE]);
  return {
    lines: indexes.flatMap(({ option }, at) =>
      option === undefined ? [] : [`${option} \${${variable(at)}}`],
    ),
    env: {
      ...Object.fromEntries(indexes.map(({ url }, at) => [variable(at), url])),
      ...(hosts === '' ? {} : { UV_INSECURE_HOST: hosts }),
    },
    config: Object.fromEntries(Object.entries(config).filter(([name]) => !read.has(name))),
    replacesDefault: indexes.some(({ option }) => option === '--index-url'),
    hide: (text) =>
      indexes.reduce((hidden, { url, declared: other }, at) => {
        const replaced = hidden.replaceAll(url, `\${${variable(at)}}`);
        return other === undefined ? replaced : hideDeclared(replaced, other, variable(at));
      }, text),
    identity: indexes.map(({ option, url }) => `${option ?? ''} ${withoutCredentials(url)}`),
  };
}

/** Only where it is an index: files of the index have addresses that begin alike. */
function hideDeclared(text: string, url: string, variable: string): string {
  const lines = text.split('\n').map((line) => {
    const [, option, address = ''] =
      /^(--(?:extra-)?index-url|--find-links)\s+(\S+)$/.exec(line) ?? [];
    return option !== undefined && same(address, url) ? `${option} \${${variable}}` : line;
  });
  return lines.join('\n');
}

function same(one: string, other: string): boolean {
  return one.replace(/\/$/, '') === other.replace(/\/$/, '');
}

/** uv and Poetry name user and password of a declared index by its name. */
function withCredentials(
  config: Readonly<Record<string, string>>,
  declared: readonly Pick<DeclaredIndex, 'name' | 'url'>[],
): Index[] {
  return declared.flatMap(({ name, url }) => {
    const key = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
    for (const prefix of [`UV_INDEX_${key}`, `POETRY_HTTP_BASIC_${key}`]) {
      const [user, password] = [config[`${prefix}_USERNAME`], config[`${prefix}_PASSWORD`]];
      if (user === undefined && password === undefined) continue;
      const whole = withUser(url, user ?? '', password ?? '');
      return whole === undefined ? [] : [{ option: undefined, url: whole, declared: url }];
    }
    return [];
  });
}

function withUser(url: string, user: string, password: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  [parsed.username, parsed.password] = [encodeURIComponent(user), encodeURIComponent(password)];
  return parsed.href;
}

function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return url.replace(/\/\/[^/@]*@/, '//');
  const parsed = new URL(url);
  [parsed.username, parsed.password] = ['', ''];
  return parsed.href;
}

/** Of `name=https://...` the address. */
function urlsIn(config: Readonly<Record<string, string>>, names: readonly string[]): string[] {
  return words(config, names).map((word) => word.replace(/^[\w-]+=(?=https?:)/, ''));
}

function words(config: Readonly<Record<string, string>>, names: readonly string[]): string[] {
  const values = names.flatMap((name) => (config[name] ?? '').split(/[\s,]+/));
  return [...new Set(values.filter((value) => value !== ''))];
}
