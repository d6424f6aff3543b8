import { TandemError } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import { memoryTree } from './source-tree.ts';
import {
  configuredMappings,
  parseExpires,
  wellKnownFiles,
  type StaticTable,
} from './static-mappings.ts';

const tree = memoryTree({
  'public/assets/site.css': '',
  'static/favicon.ico': '',
  'web/pub/x.js': '',
});
const routes = (table: StaticTable | boolean, root = '') =>
  configuredMappings(tree, root, table).value;

describe('mappings of tandem.toml', () => {
  it('map directories and files, relative to the root', () => {
    expect(
      routes({
        '/assets': 'public/assets',
        '/favicon.ico': 'static/favicon.ico',
        '/a/b/': 'static/',
      }),
    ).toEqual([
      { url: '/assets/', directory: '/app/public/assets' },
      { url: '/favicon.ico', directory: '/app/static', file: 'favicon.ico' },
      { url: '/a/b/', directory: '/app/static' },
    ]);
    expect(routes({ '/p': 'pub' }, 'web')).toEqual([{ url: '/p/', directory: '/app/web/pub' }]);
    expect(routes({ '/': '.' })).toEqual([{ url: '/', directory: '/app' }]);
    expect(routes(false)).toEqual([]);
  });

  it('may be of what a build makes later', () => {
    expect(routes({ '/assets': 'dist/assets', '/logo.svg': 'dist/logo.svg' })).toEqual([
      { url: '/assets/', directory: '/app/dist/assets' },
      { url: '/logo.svg', directory: '/app/dist', file: 'logo.svg' },
    ]);
  });

  it('carry how long they are kept, for all or each', () => {
    const table = { expires: '1h', '/a': 'static', '/b': { path: 'static', expires: '30d' } };
    expect(routes(table).map(({ expiresS }) => expiresS)).toEqual([3_600, 2_592_000]);
  });

  it.each<StaticTable>([
    { assets: 'static' },
    { '/a b': 'static' },
    { '/../x': 'static' },
    { '/a': '../outside' },
    { '/a': '../../etc' },
    { '/a': '.git' },
    { '/a': 'with space' },
    { '/a': { path: 'static', expires: 'soon' } },
    { expires: '-1d', '/a': 'static' },
    { expires: { path: 'x' } },
  ])('refuse %j', (table) => expect(() => routes(table)).toThrow(TandemError));

  it.each([
    ['30s', 30],
    ['5m', 300],
    ['1y', 31_536_000],
  ])('reads %s', (text, seconds) => expect(parseExpires(text)).toBe(seconds));
  it.each(['', '1', 'd', '1.5d', '999999y', '1M'])('does not read %j', (text) => {
    expect(parseExpires(text)).toBeUndefined();
  });
});

describe('files at the top', () => {
  const served = [{ url: '/static/', directory: '/app/static' }];
  const urls = (files: string[], all = served, answered: string[] = []) =>
    wellKnownFiles(files, all, (url) => answered.includes(url)).map(({ route }) => route);

  it('are answered from a directory that is served', () => {
    expect(urls(['static/favicon.ico', 'robots.txt'])).toEqual([
      { url: '/favicon.ico', directory: '/app/static', file: 'favicon.ico' },
    ]);
  });

  it('are left to the app, a mapping or a site that has them', () => {
    expect(urls(['static/favicon.ico'], served, ['/favicon.ico'])).toEqual([]);
    expect(urls(['static/favicon.ico'], [...served, { url: '/', directory: '/app' }])).toEqual([]);
    const own = { url: '/favicon.ico', directory: '/app/x', file: 'y.ico' };
    expect(urls(['static/favicon.ico'], [...served, own])).toEqual([]);
  });
});
