import { describe, expect, it } from 'vitest';
import { asAllowedHost, isLocalHostname, readHostname, wildcardAbove } from './hostname.ts';

describe('a host name', () => {
  it.each([
    ['www.Example.com', 'www.example.com'],
    ['example.com.', 'example.com'],
    [' example.com ', 'example.com'],
    ['Müller.example', 'xn--mller-kva.example'],
    ['xn--mller-kva.example', 'xn--mller-kva.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['*.Bücher.example', '*.xn--bcher-kva.example'],
    ['a-b.c1.example', 'a-b.c1.example'],
  ])('is spelled one way: %s', (written, host) => {
    expect(readHostname(written)).toEqual({ host });
  });

  it.each([
    '',
    '*.',
    'com',
    'http://a.example',
    'a.example:80',
    'a.example/path',
    'a..example',
    '.example',
    '-a.example',
    'a-.example',
    'a_b.example',
    'a b.example',
    'a%2eb.example',
    'a.*.example',
    '**.example',
    'w*.example',
    '*.*.example',
    '10.0.0.1',
    '10.1',
    '0x7f.1',
    '[::1]',
    'xn--\u0000.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(125)}example`,
  ])('is refused with a reason: %j', (written) => {
    expect(readHostname(written)).toEqual({ reason: expect.any(String) as string });
  });

  it('is known as one of this machine', () => {
    expect(
      ['localhost', 'a.localhost', 'localhost.example', 'notlocalhost'].map(isLocalHostname),
    ).toEqual([true, true, false, false]);
  });

  it('is spelled for Django', () => {
    expect(['a.example', '*.a.example'].map(asAllowedHost)).toEqual(['a.example', '.a.example']);
  });

  it('has at most one wildcard above it', () => {
    expect(wildcardAbove('a.b.example')).toBe('*.b.example');
    expect(wildcardAbove('*.b.example')).toBeUndefined();
    expect(wildcardAbove('example')).toBeUndefined();
  });
});
