import { describe, expect, it } from 'vitest';
import { appRoutes, sameRoutes } from './app-routes.ts';

const layer = { sha256: 'c'.repeat(64), sizeBytes: 1 };
const image = {
  layers: { stack: layer, additions: [], runtime: layer, code: layer },
  processTypes: { web: { kind: 'web', command: 'gunicorn', keepAliveMs: 75_000 } },
} as const;
const base = { appId: 7, appName: 'a', hostnames: ['a.localhost'], image, nowMs: 1_000 };
const ready = { instanceId: 'a7-1', address: 'fd00::10', coming: true };

describe('appRoutes', () => {
  it('names every ready instance with the keep-alive of its server', () => {
    const { routes } = appRoutes({ ...base, instances: [ready] });
    expect(routes).toEqual([
      {
        host: 'a.localhost',
        path: '/',
        target: {
          kind: 'upstreams',
          upstreams: [{ instanceId: 'a7-1', address: 'fd00::10', port: 8000, keepAliveMs: 75_000 }],
        },
      },
    ]);
  });

  it('leads browsers to HTTPS where they trust it, on every path', () => {
    const secure = { hosts: new Set(['a.example']), port: 443 };
    const { routes } = appRoutes({
      ...base,
      hostnames: ['a.localhost', 'a.example'],
      image: { ...image, staticFiles: { urlPrefix: '/static/', directory: '/s', fileCount: 1 } },
      secure,
      instances: [ready],
    });
    expect(routes.map(({ host, path, policy }) => [host, path, policy])).toEqual([
      ['a.localhost', '/', undefined],
      ['a.localhost', '/static/', undefined],
      ['a.example', '/', { redirectToHttps: {} }],
      ['a.example', '/static/', { redirectToHttps: {} }],
    ]);
  });

  it('adds the static tree of the same release', () => {
    const staticFiles = { urlPrefix: '/static/', directory: '/static', fileCount: 3 };
    const { routes } = appRoutes({
      ...base,
      image: { ...image, staticFiles },
      instances: [ready],
    });
    expect(routes[1]?.target).toEqual({
      kind: 'static',
      layerSha256: layer.sha256,
      directory: '/static',
    });
  });

  const at = (more: object) =>
    Object.fromEntries(
      appRoutes({ ...base, image: { ...image, ...more }, instances: [ready] }).routes.map(
        ({ path, isExact, target }) => [isExact ? `= ${path}` : path, target],
      ),
    );
  const volume = {
    sizeBytes: 1,
    paths: [
      { path: '/app/media', isPublic: true, why: '' },
      { path: '/app/static/up', isPublic: true, why: '' },
      { path: '/app/static/cache', why: '' },
    ],
  };

  it('sends uploads to the volume, when they are on it', () => {
    const media = { urlPrefix: '/media/', directory: '/app/media' };
    expect(at({ media, volume })['/media/']).toEqual({ kind: 'volume', directory: 'app+media' });
    expect(Object.keys(at({ media }))).toEqual(['/']);
  });

  it('maps directories and single files, and what was uploaded into such a directory', () => {
    const staticRoutes = [
      { url: '/static/', directory: '/app/static', expiresS: 60 },
      { url: '/favicon.ico', directory: '/app/static', file: 'favicon.ico' },
    ];
    const common = { kind: 'static', layerSha256: layer.sha256, directory: '/app/static' };
    expect(at({ staticRoutes, volume })).toMatchObject({
      '/static/': { ...common, expiresS: 60 },
      '= /favicon.ico': { ...common, file: 'favicon.ico' },
      '/static/up/': { kind: 'volume', directory: 'app+static+up' },
    });
    expect(at({ staticRoutes, volume })).not.toHaveProperty(['/static/cache/']);
  });

  it('answers a site without any process', () => {
    const staticRoutes = [{ url: '/', directory: '/app' }];
    expect(at({ staticRoutes, processTypes: {} })).toEqual({
      '/': { kind: 'static', layerSha256: layer.sha256, directory: '/app', isSite: true },
    });
  });

  it('holds while the only instance restarts', () => {
    const { routes } = appRoutes({ ...base, instances: [{ instanceId: 'a7-1', coming: true }] });
    expect(routes[0]?.target).toEqual({ kind: 'hold', untilMs: 31_000 });
  });

  it('is unavailable when nothing is coming', () => {
    const { routes } = appRoutes({ ...base, instances: [{ instanceId: 'a7-1', coming: false }] });
    expect(routes[0]?.target.kind).toBe('unavailable');
  });

  it('holds on request although something is ready', () => {
    const { routes } = appRoutes({ ...base, instances: [ready], holdUntilMs: 9 });
    expect(routes[0]?.target).toEqual({ kind: 'hold', untilMs: 9 });
  });

  it('has no routes before the first release', () => {
    const { image: _, ...without } = base;
    expect(appRoutes({ ...without, instances: [] }).routes).toEqual([]);
  });

  it('tells an app without a web process', () => {
    const { routes } = appRoutes({
      ...base,
      image: { ...image, processTypes: {} },
      instances: [],
    });
    expect(routes[0]?.target.kind).toBe('unavailable');
  });
});

describe('sameRoutes', () => {
  it('does not see a moved deadline as a change', () => {
    const instances = [{ instanceId: 'a7-1', coming: true }];
    const a = appRoutes({ ...base, instances });
    const b = appRoutes({ ...base, instances, nowMs: 5_000 });
    expect(sameRoutes(a, b)).toBe(true);
  });

  it('sees a new address', () => {
    const a = appRoutes({ ...base, instances: [ready] });
    const b = appRoutes({ ...base, instances: [{ ...ready, address: 'fd00::11' }] });
    expect(sameRoutes(a, b)).toBe(false);
  });
});
