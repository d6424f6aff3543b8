import { describe, expect, it } from 'vitest';
import { parseHandshakes } from './handshakes.ts';

describe('what openssl s_time says', () => {
  it('is read', () => {
    const output = `Collecting connection statistics for 2 seconds
tttttttt

1022 connections in 0.35s; 2920.00 connections/user sec, bytes read 0
1022 connections in 3 real seconds, 0 bytes read per connection
`;
    expect(parseHandshakes(output)).toEqual({ operations: 1022, seconds: 3 });
  });

  it.each(['', '0 connections in 3 real seconds, 0 bytes read'])('is refused: %j', (output) => {
    expect(() => parseHandshakes(output)).toThrow('openssl did not say');
  });
});
