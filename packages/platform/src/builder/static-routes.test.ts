import { describe, expect, it } from 'vitest';
import type { StaticRoute } from '../domain/release.ts';
import { servedFiles } from './static-routes.ts';

type Report = Parameters<typeof servedFiles>[1];
const served = (
  report: Report,
  more: {
    staticRoutes?: StaticRoute[];
    answeredUrls?: string[];
    sourceFiles?: string[];
    paths?: string[];
  } = {},
) => {
  const { staticRoutes = [], answeredUrls = [], sourceFiles = [], paths } = more;
  const volume = { candidates: [], directories: [], sourceFiles };
  const plan = paths && { sizeBytes: 1, paths: paths.map((path) => ({ path, why: 'a test' })) };
  return servedFiles({ staticRoutes, answeredUrls, volume }, report, plan);
};
const urls = (...args: Parameters<typeof served>) =>
  served(...args).image.staticRoutes?.map(({ url }) => url);

describe('folders that the app serves', () => {
  const folder = { url: '/static/', directory: '/app/static' };

  it('are served without it, with the files at the top', () => {
    expect(
      served({ staticFolders: [folder] }, { sourceFiles: ['static/favicon.ico'] }).image,
    ).toEqual({
      staticRoutes: [
        folder,
        { url: '/favicon.ico', directory: '/app/static', file: 'favicon.ico' },
      ],
    });
  });

  it('give way to a mapping of the user', () => {
    const own = { url: '/static/', directory: '/app/build' };
    const { image } = served({ staticFolders: [folder] }, { staticRoutes: [own] });
    expect(image.staticRoutes).toEqual([own]);
  });

  it.each([
    { url: '/', directory: '/app/static' },
    { url: '/static/', directory: '/venv/lib/x' },
    { url: '/static/', directory: '/app/../etc' },
    { url: '/static/', directory: '/app/.hidden' },
    { url: '/a b/', directory: '/app/static' },
    { url: '/<name>/', directory: '/app/static' },
    { url: '', directory: '/app/static' },
  ])('stay with it when nginx could not be told: %j', (one) => {
    expect(urls({ staticFolders: [one] })).toBeUndefined();
  });

  it('make what is uploaded into them readable', () => {
    const { image } = served(
      { staticFolders: [folder] },
      { paths: ['/app/static/up', '/app/logs'] },
    );
    expect(image.volume?.paths.map(({ isPublic = false }) => isPublic)).toEqual([true, false]);
  });
});

describe('files at the top of what Django collects', () => {
  const report: Report = { static: { root: '/static', fileCount: 1, topFiles: ['robots.txt'] } };
  it('are served at the top', () => {
    expect(served(report).image.staticRoutes).toEqual([
      { url: '/robots.txt', directory: '/static', file: 'robots.txt' },
    ]);
  });
  it('but not when the app speaks of them', () => {
    expect(urls(report, { answeredUrls: ['/robots.txt'] })).toBeUndefined();
  });
});

describe('uploads', () => {
  const media = { root: '/app/media', url: '/media/', isServedByApp: false };
  const at = (changes: Partial<typeof media>, paths: string[] = ['/app/media']) =>
    served({ media: { ...media, ...changes } }, { paths }).image.media;

  it('are served at MEDIA_URL, however it is written', () => {
    for (const url of ['/media/', 'media/', '/media', 'media']) {
      expect(at({ url })).toEqual({ urlPrefix: '/media/', directory: '/app/media' });
    }
    expect(at({}, ['/app'])).toBeDefined();
  });

  it.each(['', '/', 'https://cdn.example/media/', '//cdn.example/', '/a b/'])(
    'are not at %j',
    (url) => expect(at({ url })).toBeUndefined(),
  );

  it('are not when they are not on the volume, or a view of the project guards them', () => {
    expect(at({}, ['/app/logs'])).toBeUndefined();
    expect(at({ isServedByApp: true })).toBeUndefined();
    const { findings } = served(
      { media: { ...media, isServedByApp: true } },
      { paths: ['/app/media'] },
    );
    expect(findings[0]).toMatchObject({ rule: 'media', value: '/media/ by the app' });
  });
});
