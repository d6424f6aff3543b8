import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../configuration.ts';
import { detect } from '../detect.ts';
import { memoryTree } from '../source-tree.ts';

const MANAGE = `import os
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
`;
const FLASK = 'from flask import Flask\napp = Flask(__name__)\n';
type Files = Record<string, string>;

const read = (epio: string, files: Files = {}, appConfig: Files = {}) =>
  readConfiguration(memoryTree({ 'epio.ini': epio, ...files }), appConfig);
const detectIn = (files: Files, config: Files = {}) =>
  detect(memoryTree(files), { pythonVersions: ['3.12.1'], config });
const said = (found: { findings: readonly { value: string; why: string; evidence?: string }[] }) =>
  found.findings.map(({ value, why, evidence }) => `${evidence ?? ''} ${value}: ${why}`);
const refusal = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('services, static files and HTTP', () => {
  it('wants a database or none', () => {
    expect(read('[services]\npostgres = true\n').config.database).toBe(true);
    expect(read('[services]\npostgres = false\n').config.database).toBe(false);
    expect(read('[services]\n# postgres = true\n').config.database).toBeUndefined();
  });

  it.each([
    ['[services]\nsolr = true', 'run it elsewhere'],
    ['[solr]\nmemory = 128', 'there is no Solr'],
    ['[celery]\ndjcelery = true', 'name its process'],
    ['[static]\n_directory_indexes = true', 'directories are not listed'],
    ['[http]\nexpires-/static = 3600', 'no line of \\[static\\] maps that URL'],
    ['[http]\ngzip = true', 'static files are'],
    ['[redis]\nmemory = 16', 'every Redis has 64 MiB'],
    ['[redis]\nmemory = 128M', 'no counterpart: every Redis has 64 MiB'],
  ])('%j is named', (epio, why) => {
    expect(said(read(epio))).toContainEqual(expect.stringMatching(`^epio.ini:2 .*${why}`));
  });

  it.each([
    ['/static/admin = ../shortcuts/django-admin-media/', "Django's own files are collected"],
    ['/static/admin = %(django_admin_media)s/', "Django's own files are collected"],
  ])('[static] %j: %s', (line, why) => {
    expect(said(read(`[static]\n${line}\n`))).toContainEqual(expect.stringContaining(why));
  });

  it.each([
    ['/static = site/static/', '/static/', '/app/site/static', undefined],
    ['/favicon.ico = site/favicon.ico', '/favicon.ico', '/app/site', 'favicon.ico'],
    ['/media = ../data', '/media/', '/data', undefined],
    ['/media = %(data_directory)s/media/', '/media/', '/data/media', undefined],
    ['/media/ = up', '/media/', '/app/up', undefined],
    ['/media = ../data/up', '/media/', '/app/up', undefined],
    ['/css = linked', '/css/', '/app/site/css', undefined],
  ])('[static] %j is served at %s', (line, url, directory, file) => {
    const epio = `[symlinks]\nup = ~/data/up\nlinked = site/css\n[static]\n${line}\n`;
    const { staticRoutes, volume } = detectIn({
      'epio.ini': epio,
      'app.py': FLASK,
      'site/static/a.css': '',
      'site/css/b.css': '',
      'site/favicon.ico': '',
    });
    expect(staticRoutes).toEqual([{ url, directory, ...(file === undefined ? {} : { file }) }]);
    expect(volume.directories).toContain('/app/up');
    expect(volume.directories.includes('/data')).toBe(line.includes('data'));
  });

  it('keeps a link into the directory for files on the volume by itself', () => {
    const epio = '[symlinks]\nvar/shop.db = ../data/shop.db\nup = ../data/up\n';
    const found = detectIn({ 'epio.ini': epio, 'app.py': FLASK });
    expect(found.links).toEqual([]);
    expect(found.volume.candidates).toMatchObject([
      { path: '/app/var/shop.db', kind: 'file', evidence: 'epio.ini:2' },
      { path: '/app/up', kind: 'directory', evidence: 'epio.ini:3' },
    ]);
    expect(said(found)).toContain(
      'epio.ini:3 [symlinks] up = ../data/up: up itself is kept, apart from what lies in /data',
    );
  });

  it.each([
    ['expires = 60', [{ url: '/s/', directory: '/app/site', expiresS: 60 }]],
    ['expires-/s = 3600', [{ url: '/s/', directory: '/app/site', expiresS: 3600 }]],
    ['expires-/s/ = 3600', [{ url: '/s/', directory: '/app/site', expiresS: 3600 }]],
    [
      'expires-/s/img = 31536000',
      [
        { url: '/s/', directory: '/app/site' },
        { url: '/s/img/', directory: '/app/site/img', expiresS: 31_536_000 },
      ],
    ],
  ])('[http] %j says how long files are kept', (line, routes) => {
    const epio = `[static]\n/s = site\n[http]\n${line}\n`;
    const files = { 'epio.ini': epio, 'app.py': FLASK, 'site/img/a.png': '' };
    expect(detectIn(files).staticRoutes).toEqual(routes);
  });

  it('serves nothing but files when [wsgi] is switched off', () => {
    const files = { 'app.py': FLASK, 'manage.py': MANAGE, 'public/index.html': '' };
    const off = '[wsgi]\nenabled = false\n';
    const found = detectIn({ ...files, 'epio.ini': `${off}[static]\n/ = public\n` });
    expect(found).toMatchObject({
      isSite: true,
      staticRoutes: [{ url: '/', directory: '/app/public' }],
    });
    expect(said(found)).toContain('epio.ini:4 static: set by you');
    expect(found.entry).toBeUndefined();
    expect(detectIn({ ...files, 'epio.ini': off }).isSite).toBe(true);
    expect(refusal(() => detectIn({ 'app.py': FLASK, 'epio.ini': off }))).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: 'epio.ini:2',
    });
  });

  it.each([
    '[static]\n/../x = site',
    '[static]\n/x = .hidden',
    '[http]\nexpires-/static = 999999999',
    '[services]\npostgres = maybe',
    '[redis]\nmemory = lots',
    '[static]\n/x = ../../etc',
    '[http]\nexpires-/static = soon',
    '[http]\ngzip = hard',
  ])('%j is refused', (epio) => {
    expect(refusal(() => read(epio))).toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: 'epio.ini:2',
    });
  });
});
