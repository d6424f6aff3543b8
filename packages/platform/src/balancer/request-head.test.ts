import { describe, expect, it } from 'vitest';
import { readRequestHead } from './request-head.ts';

const read = (url: string, rawHeaders: string[] = ['Host', 'a.test'], method = 'GET') =>
  readRequestHead({ method, url, rawHeaders, httpVersion: '1.1' });

describe('readRequestHead', () => {
  it('parts path and query', () => {
    expect(read('/a/b?c=/d?e')).toMatchObject({ path: '/a/b', target: '/a/b?c=/d?e' });
    expect(read('/')).toMatchObject({ path: '/', target: '/', host: 'a.test', refusal: undefined });
  });

  it.each([
    ['http://B.test/x?y', 'b.test', '/x?y'],
    ['HTTPS://b.test:8443', 'b.test', '/'],
    ['http://b.test?q', 'b.test', '/?q'],
  ])('takes %s for %s', (url, host, target) => {
    expect(read(url)).toMatchObject({ host, target, refusal: undefined });
  });

  it('does not route by the user part of an authority', () => {
    expect(read('http://a.test@evil.test/').host).toBeUndefined();
  });

  it('takes * for OPTIONS only', () => {
    expect(read('*', undefined, 'OPTIONS').refusal).toBeUndefined();
    expect(read('*').refusal?.status).toBe(400);
  });
});
