// What the documents say and what the code does stay one: the generated pages are current, every
// error code is in use, and every command that a hint names exists.
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VERB_GROUPS } from '../packages/cli/src/verbs/index.ts';
import { TANDEM_KEYS } from '../packages/platform/src/builder/detect/tandem-toml.ts';
import { ERROR_CODES } from '../packages/protocol/src/error-codes.ts';
import { renderReference } from './reference.ts';

const ROOT = join(import.meta.dirname, '..');
const REGISTRY = 'packages/protocol/src/error-codes.ts';

/** Path -> text of all that is shipped, without tests and whole-line comments. */
async function readSources(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const path of glob('packages/*/{src,python}/**/*.{ts,py}', { cwd: ROOT })) {
    if (/\.(test|contract)\.ts$/.test(path) || path === REGISTRY) continue;
    const text = await readFile(join(ROOT, path), 'utf8');
    sources.set(path, text.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, ''));
  }
  return sources;
}

describe('docs/reference', async () => {
  it.each([...(await renderReference())])(
    '%s is current (npm run docs:reference)',
    async (name, text) => {
      expect(await readFile(join(ROOT, 'docs/reference', name), 'utf8')).toBe(text);
    },
  );
});

describe('tandem.toml', () => {
  it('has every key in its page', async () => {
    const page = await readFile(join(ROOT, 'docs/reference/tandem-toml.md'), 'utf8');
    const listed = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, key]) => key);
    expect(listed.toSorted()).toEqual([...TANDEM_KEYS].toSorted());
  });
});

describe('error codes', async () => {
  const sources = [...(await readSources()).values()].join('\n');

  it('are all in use', () => {
    const unused = Object.keys(ERROR_CODES).filter(
      (code) => !new RegExp(`['"]${code}['"]`).test(sources),
    );
    expect(unused).toEqual([]);
  });

  it('are all registered', () => {
    const used = [...sources.matchAll(/TandemError\(\s*'([A-Z_]+)'/g)].map(
      ([, code]) => code ?? '',
    );
    expect(used.filter((code) => !Object.hasOwn(ERROR_CODES, code))).toEqual([]);
  });
});

describe('next commands', async () => {
  const sources = await readSources();
  const verbs = new Set(VERB_GROUPS.flatMap(({ verbs: some }) => some.map(({ name }) => name)));

  it('exist', () => {
    const named = [...sources].flatMap(([path, text]) =>
      [...text.matchAll(/(?:['"`]|\\n)tandem ([a-z]+)/g)].map(([, verb]) => `${path}: ${verb}`),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((use) => !verbs.has(use.split(': ')[1] ?? ''))).toEqual([]);
  });
});
