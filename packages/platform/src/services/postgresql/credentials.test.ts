import { describe, expect, it } from 'vitest';
import { scramVerifier } from './credentials.ts';

describe('scramVerifier', () => {
  it('is what the server derives from the same password and salt', () => {
    // The example of RFC 7677, section 3: user "user", password "pencil".
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$' +
        'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    );
  });

  it('does not hold the password', () => {
    expect(scramVerifier('hunter2-hunter2')).not.toContain('hunter2');
  });
});
