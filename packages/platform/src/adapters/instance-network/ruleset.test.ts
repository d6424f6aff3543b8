import { describe, expect, it } from 'vitest';
import type { Installation } from '../../domain/installation.ts';
import { linkElements, ruleset } from './ruleset.ts';

const installation: Installation = {
  schemaVersion: 1,
  name: 'test',
  id: 'abc123',
  slot: 1,
  ipv6Prefix: 'fd12:3456:789a:1',
  nodeName: 'n1',
  suffix: 'localhost',
  httpPort: 8080,
};

describe('ruleset', () => {
  const lines = ruleset(installation).split('\n');
  const rulesOf = (chain: string): string[] => {
    const start = `add rule inet tandem_abc123 ${chain} `;
    return lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
  };

  it('ends every way to or from an instance with a drop, but the one to the internet', () => {
    for (const chain of ['to_host', 'between_instances', 'from_outside', 'from_host']) {
      expect(rulesOf(chain).at(-1), chain).toBe('drop');
    }
  });

  it('drops private ranges before it accepts the rest', () => {
    const rules = rulesOf('to_internet');
    expect(rules.indexOf('ip daddr @private4 drop')).toBeLessThan(rules.indexOf('accept'));
    expect(rules.indexOf('ip6 daddr @private6 drop')).toBeLessThan(rules.indexOf('accept'));
  });

  it('blocks private IPv4 behind NAT64 too', () => {
    const text = lines.join('\n');
    expect(text).toContain('64:ff9b::a00:0/104');
    expect(text).toContain('64:ff9b::a9fe:0/112');
    expect(text).toContain('64:ff9b::c0a8:0/112');
  });

  it('lets root, balancer and static server in from the host', () => {
    expect(rulesOf('from_host')).toContain('meta skuid { 0, 1900500001, 1900500002 } accept');
  });

  it('touches only its own table', () => {
    expect(lines.filter((line) => line !== '' && !line.includes('inet tandem_abc123'))).toEqual([]);
  });

  it('keeps links when it is loaded again', () => {
    expect(lines.some((line) => line.startsWith('flush set') && line.includes('links'))).toBe(
      false,
    );
  });

  it('takes ranges that the operator allows, by family', () => {
    const text = ruleset(installation, ['10.1.0.0/16', 'fd99::/64']);
    expect(text).toContain('allowed4 { 10.1.0.0/16 }');
    expect(text).toContain('allowed6 { fd99::/64 }');
  });
});

describe('linkElements', () => {
  it('joins source, destination and port', () => {
    const network = { ipv6: 'fd12::5', links: [{ ipv6: 'fd12::6', port: 5432 }] };
    expect(linkElements('add', installation, network)).toBe(
      'add element inet tandem_abc123 links { fd12::5 . fd12::6 . 5432 }\n',
    );
  });
});
