import { describe, expect, it } from 'vitest';
import { compareDebianVersions } from './debian-version.ts';

describe('compareDebianVersions', () => {
  it.each([
    ['1.0', '1.1'],
    ['1.9', '1.10'],
    ['1.0~rc1', '1.0'],
    ['1.0~~', '1.0~'],
    ['1.0', '1.0a'],
    ['1.0a', '1.0+b'],
    ['9.9', '1:0.1'],
    ['1.0-1', '1.0-1+deb12u1'],
    ['15.9-0+deb12u1', '15.13-0+deb12u1'],
    ['1.0', '1.0-1'],
    ['2.36-9', '2.36-9+b1'],
  ])('%s comes before %s', (one, other) => {
    expect(compareDebianVersions(one, other)).toBeLessThan(0);
    expect(compareDebianVersions(other, one)).toBeGreaterThan(0);
  });

  it('takes equal versions for equal', () => {
    expect(compareDebianVersions('0:1.0', '1.0')).toBe(0);
    expect(compareDebianVersions('1.00', '1.0')).toBe(0);
    expect(compareDebianVersions('1.0-0', '1.0')).toBe(0);
  });
});
