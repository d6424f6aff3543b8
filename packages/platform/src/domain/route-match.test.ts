import { describe, expect, it } from 'vitest';
import { normalizeHost, portOfHost, RouteMatcher } from './route-match.ts';
import type { AppRoutes, Route } from './route-table.ts';

const route = (host: string, path = '/'): Route => ({
  host,
  path,
  target: { kind: 'upstreams', upstreams: [] },
});
const app = (appId: number, ...routes: Route[]): AppRoutes => ({
  appId,
  appName: `app${appId}`,
  routes,
});
const matcherOf = (...apps: AppRoutes[]): RouteMatcher => {
  const matcher = new RouteMatcher();
  for (const one of apps) matcher.set(one);
  return matcher;
};

describe('normalizeHost', () => {
  it.each([
    ['A.Example', 'a.example'],
    ['a.example:8080', 'a.example'],
    ['a.example.', 'a.example'],
    ['a.example.:80', 'a.example'],
    ['a.example:', 'a.example'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[FD00::1]:8080', '[fd00::1]'],
    ['[::ffff:1.2.3.4]:80', '[::ffff:1.2.3.4]'],
  ])('reads %s as %s', (header, host) => {
    expect(normalizeHost(header)).toBe(host);
  });

  it.each([
    '',
    '.',
    ':80',
    'a b',
    'a.example/',
    'user@a.example',
    'a.example:80:80',
    'a.example:port',
    '[::1',
    '::1',
    'a\\b',
    'a.example\t',
    '.example',
    'a'.repeat(300),
  ])('refuses %j', (header) => {
    expect(normalizeHost(header)).toBeUndefined();
  });

  it('tells the port', () => {
    expect(portOfHost('a.example:8080')).toBe(8080);
    expect(portOfHost('[::1]:81')).toBe(81);
    expect(portOfHost('[::1]')).toBeUndefined();
    expect(portOfHost('a.example')).toBeUndefined();
  });
});

describe('RouteMatcher', () => {
  it('prefers the exact host, then the longest suffix', () => {
    const matcher = matcherOf(
      app(1, route('*.example')),
      app(2, route('*.shop.example')),
      app(3, route('www.shop.example')),
    );
    expect(matcher.match('www.shop.example', '/')?.appId).toBe(3);
    expect(matcher.match('a.shop.example', '/')?.appId).toBe(2);
    expect(matcher.match('a.b.shop.example', '/')?.appId).toBe(2);
    expect(matcher.match('shop.example', '/')?.appId).toBe(1);
    expect(matcher.match('example', '/')).toBeUndefined();
    expect(matcher.match('other.test', '/')).toBeUndefined();
    expect(matcher.match('shop.example.evil', '/')).toBeUndefined();
  });

  it('takes the longest path prefix on whole segments', () => {
    const matcher = matcherOf(
      app(1, route('a.example'), route('a.example', '/static/'), route('a.example', '/static/x/')),
    );
    const pathOf = (path: string) => matcher.match('a.example', path)?.route.path;
    expect(pathOf('/static/app.css')).toBe('/static/');
    expect(pathOf('/static/x/app.css')).toBe('/static/x/');
    expect(pathOf('/static')).toBe('/');
    expect(pathOf('/statics/')).toBe('/');
    expect(pathOf('/STATIC/')).toBe('/');
  });

  it('finds nothing where the host has no such path', () => {
    const matcher = matcherOf(app(1, route('a.example', '/api/')), app(2, route('*.example')));
    expect(matcher.match('a.example', '/')).toBeUndefined();
  });

  it('does not take a name of the object prototype for a host', () => {
    expect(matcherOf().match('constructor', '/')).toBeUndefined();
    expect(matcherOf().match('__proto__', '/')).toBeUndefined();
  });

  it('replaces an app as a whole, and removes it', () => {
    const matcher = matcherOf(app(1, route('a.example'), route('b.example')));
    matcher.set(app(1, route('b.example'), route('c.example')));
    expect(matcher.match('a.example', '/')).toBeUndefined();
    expect(matcher.match('c.example', '/')?.appId).toBe(1);
    matcher.set(app(1));
    expect(matcher.match('c.example', '/')).toBeUndefined();
    expect([...matcher.apps]).toEqual([]);
  });

  it('gives a place claimed twice to the older app, and to the other when that leaves', () => {
    const matcher = matcherOf(app(2, route('a.example')), app(1, route('a.example')));
    expect(matcher.match('a.example', '/')?.appId).toBe(1);
    matcher.set(app(1));
    expect(matcher.match('a.example', '/')?.appId).toBe(2);
  });

  it('costs no more with 100,000 hosts than with 10', () => {
    const timeOf = (hosts: number): number => {
      const matcher = new RouteMatcher();
      for (let n = 0; n < hosts; n += 1) matcher.set(app(n, route(`h${n}.example`)));
      matcher.set(app(hosts, route('*.wild.example')));
      const ask = (): number => {
        const started = performance.now();
        for (let n = 0; n < 20_000; n += 1) {
          matcher.match(`h${n % 10}.example`, '/path');
          matcher.match('a.b.wild.example', '/path');
        }
        return performance.now() - started;
      };
      return Math.min(...Array.from({ length: 7 }, ask));
    };
    timeOf(10);
    // Generous for a busy machine; a scan would be thousands of times slower.
    expect(timeOf(100_000)).toBeLessThan(Math.max(20, timeOf(10) * 6));
  });
});
