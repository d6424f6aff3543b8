import { describe, expect, it } from 'vitest';
import {
  headerNameComplaint,
  headerValueComplaint,
  isExemptPath,
  isPlainPath,
  policyOf,
  userNameComplaint,
} from './route-policy.ts';

describe('the policy of a route', () => {
  it('counts key by key before that of its app', () => {
    const app = { compression: true, allow: ['10.0.0.0/8'] };
    expect(policyOf(app, { allow: ['::1'] })).toEqual({ compression: true, allow: ['::1'] });
    expect(policyOf(app, undefined)).toBe(app);
    expect(policyOf(undefined, app)).toBe(app);
    expect(policyOf(undefined, undefined)).toBeUndefined();
  });
});

describe('a path that is exempt', () => {
  it('is itself, or all below', () => {
    const exempt = ['/health', '/hooks/'];
    for (const path of ['/health', '/hooks/', '/hooks/a/b.c', '/hooks/...'])
      expect(isExemptPath(path, exempt), path).toBe(true);
    for (const path of ['/', '/health/', '/hooks', '/Hooks/a', '', 'health'])
      expect(isExemptPath(path, exempt), path).toBe(false);
    expect(isExemptPath('/health', [])).toBe(false);
  });

  it.each([
    ...[
      '/a/../b',
      '/a/..',
      '/a/./b',
      '/.',
      '//a',
      '/a//b',
      '/a/',
      '/%61',
      '/a%2fb',
      '/a;b',
      '/a\\b',
    ],
  ])('is plain: %s', (path) => expect(isPlainPath(path)).toBe(path === '/a/'));
});

describe('a header that may be changed', () => {
  it.each(['X-Frame-Options', 'Content-Security-Policy', 'Set-Cookie', 'Server', 'Authorization'])(
    '%s',
    (name) => expect(headerNameComplaint(name)).toBeUndefined(),
  );

  it.each([
    ...['Host', 'content-LENGTH', 'Transfer-Encoding', 'Connection', 'TE', 'Upgrade', 'Date'],
    ...['X-Forwarded-For', 'x-forwarded-anything', 'X-Tandem-App', 'X-Request-Id', 'Forwarded'],
    ...['', 'a b', 'a:', 'a\r\n', 'X_Forwarded_For', 'ä', 'x'.repeat(200)],
  ])('is not %j', (name) => expect(headerNameComplaint(name)).toBeDefined());

  it('has a value of one line', () => {
    for (const value of ['', 'a b', "default-src 'self'", 'caf\xe9', 'a\tb'])
      expect(headerValueComplaint(value), value).toBeUndefined();
    for (const value of ['a\r\nB: c', 'a\n', '\0', ' a', 'a ', 'Ω', '\x7f', 'x'.repeat(5_000)])
      expect(headerValueComplaint(value), JSON.stringify(value)).toBeDefined();
  });
});

it('a user name has no colon', () => {
  expect(userNameComplaint('ada')).toBeUndefined();
  for (const name of ['', 'a:b', 'a\nb', 'x'.repeat(200)])
    expect(userNameComplaint(name)).toBeDefined();
});
