import { describe, expect, it } from 'vitest';
import { privateIndexes } from './private-indexes.ts';

const SECRET = 'https://user:pa%40ss@index.example/simple';

describe('privateIndexes', () => {
  it('is nothing without variables, or with the public index', () => {
    const none = privateIndexes({ OTHER: 'x', PIP_INDEX_URL: 'https://pypi.org/simple' }, []);
    expect(none).toMatchObject({ lines: [], env: {}, replacesDefault: false, identity: [] });
    expect(none.config).toEqual({ OTHER: 'x' });
    expect(none.hide('six==1\n')).toBe('six==1\n');
  });

  it.each(['UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'PIP_INDEX_URL'])(
    '%s is the default one',
    (name) => {
      expect(privateIndexes({ [name]: SECRET }, [])).toMatchObject({
        lines: ['--index-url ${TANDEM_INDEX_0}'],
        env: { TANDEM_INDEX_0: SECRET },
        config: {},
        replacesDefault: true,
        identity: ['--index-url https://index.example/simple'],
      });
    },
  );

  it('others are asked beside it, several in one variable, names left out', () => {
    const config = {
      PIP_EXTRA_INDEX_URL: `${SECRET} https://b.example/simple`,
      UV_INDEX: 'ours=https://c.example/simple',
    };
    const indexes = privateIndexes(config, []);
    expect(indexes.lines).toEqual(
      [0, 1, 2].map((at) => `--extra-index-url \${TANDEM_INDEX_${at}}`),
    );
    expect(indexes.replacesDefault).toBe(false);
    expect(Object.values(indexes.env)).toContain('https://c.example/simple');
  });

  it('no credential is left in a lock or in what a key is made of', () => {
    const indexes = privateIndexes(
      { UV_EXTRA_INDEX_URL: SECRET, PIP_TRUSTED_HOST: 'index.example' },
      [],
    );
    const lock = indexes.hide(`--extra-index-url ${SECRET}\nlib==1\nother @ ${SECRET}/other.whl\n`);
    expect(lock).not.toContain('pa%40ss');
    expect(lock).toContain('--extra-index-url ${TANDEM_INDEX_0}\n');
    expect(JSON.stringify([indexes.identity, indexes.lines])).not.toContain('pa%40ss');
    expect(indexes.env['UV_INSECURE_HOST']).toBe('index.example');
  });

  it.each([
    ['UV_INDEX_OUR_INDEX_USERNAME', 'UV_INDEX_OUR_INDEX_PASSWORD'],
    ['POETRY_HTTP_BASIC_OUR_INDEX_USERNAME', 'POETRY_HTTP_BASIC_OUR_INDEX_PASSWORD'],
  ])('%s belongs to the index that the project declares', (user, password) => {
    const declared = [
      { name: 'our-index', url: 'https://index.example/simple/' },
      { name: 'free', url: 'https://free.example/simple' },
    ];
    const indexes = privateIndexes({ [user]: 'me', [password]: 'p@ss' }, declared);
    expect(indexes.env).toEqual({ TANDEM_INDEX_0: 'https://me:p%40ss@index.example/simple/' });
    expect(indexes.lines).toEqual([]);
    expect(indexes.hide('--extra-index-url https://index.example/simple\nx==1\n')).toBe(
      '--extra-index-url ${TANDEM_INDEX_0}\nx==1\n',
    );
    expect(indexes.hide('--index-url https://free.example/simple\n')).toContain('free.example');
  });
});
