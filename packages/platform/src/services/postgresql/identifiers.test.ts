import { describe, expect, it } from 'vitest';
import { appIdentifier, quoteIdentifier, quoteLiteral } from './identifiers.ts';

describe('names inside the cluster', () => {
  it('follow from the app id', () => {
    expect(appIdentifier(12)).toBe('app_12');
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse %s as an app id', (id) => {
    expect(() => appIdentifier(id)).toThrow(RangeError);
  });

  it('are quoted so that no quote ends them', () => {
    expect(quoteIdentifier('a"; DROP ROLE b; --')).toBe('"a""; DROP ROLE b; --"');
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(() => quoteIdentifier('a\0b')).toThrow(RangeError);
    expect(() => quoteLiteral('a\0b')).toThrow(RangeError);
  });
});
