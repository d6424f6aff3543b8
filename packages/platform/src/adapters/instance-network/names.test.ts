import { describe, expect, it } from 'vitest';
import { instanceAddresses, interfacePrefix } from '../../domain/installation.ts';
import { instanceName } from './names.ts';

const installation = { slot: 255, ipv6Prefix: 'fd12:3456:789a:1' };
const nameOf = (counter: number): string =>
  instanceName(installation, instanceAddresses(installation, counter).ipv6);

describe('instanceName', () => {
  it('is the counter in base 36', () => {
    expect(nameOf(2)).toBe('tdff-2');
    expect(nameOf(36)).toBe('tdff-10');
    expect(nameOf(0x1_0000)).toBe('tdff-1ekg');
  });

  it('fits the fifteen characters of an interface up to the last counter', () => {
    expect(nameOf(2 ** 48 - 1).length).toBeLessThanOrEqual(15);
    expect(nameOf(2 ** 48 - 1).startsWith(interfacePrefix(255))).toBe(true);
  });

  it.each([
    'fd12:3456:789a:2:0:0:0:5',
    'fd12:3456:789a:1::5',
    'fd12:3456:789a:1:0:0:0:5; link del eth0',
    'fd12:3456:789a:1:0:0:0:fffff',
    '10.0.0.1',
    '',
  ])('refuses "%s"', (address) => {
    expect(() => instanceName(installation, address)).toThrow(RangeError);
  });
});
