import { describe, expect, it } from 'vitest';
import { dnsVerdict } from './dns-verdict.ts';

const own = ['203.0.113.5', '2001:db8::5'];
const verdict = (found: string[], ours: string[] | undefined = own) =>
  dnsVerdict({ host: 'shop.example', found, own: ours });

describe('the DNS of a name', () => {
  it.each([[['203.0.113.5']], [['203.0.113.5', '2001:db8::5']], [['2001:0DB8:0:0:0:0:0:5']]])(
    'leads here by %s',
    (found) => {
      expect(verdict(found)).toEqual({ leadsHere: true });
    },
  );

  it('leads nowhere: says which record to add', () => {
    expect(verdict([])).toEqual({
      reason: 'shop.example has no address in the DNS',
      hint: expect.stringContaining('A record of shop.example to 203.0.113.5') as string,
    });
  });

  it('leads elsewhere', () => {
    expect(verdict(['198.51.100.1'])).toMatchObject({
      reason: 'the DNS leads shop.example to 198.51.100.1, which is not this machine',
    });
  });

  it('leads here and elsewhere: the authority may ask the other one', () => {
    expect(verdict(['203.0.113.5', '2001:db8::99'])).toEqual({
      reason: 'the DNS leads shop.example also to 2001:db8::99, which is not this machine',
      hint: expect.stringContaining('Remove the AAAA record') as string,
    });
  });

  it('is believed where we do not know how the world reaches us', () => {
    const facts = { host: 'shop.example', own: undefined };
    expect(dnsVerdict({ ...facts, found: ['198.51.100.1'] })).toEqual({ leadsHere: true });
    expect(dnsVerdict({ ...facts, found: [] })).toHaveProperty('reason');
  });
});
