import { expect, it } from 'vitest';
import { generatePassword } from './password.ts';

it('a password needs no escape anywhere', () => {
  for (let round = 0; round < 50; round += 1) {
    expect(generatePassword()).toMatch(/^[A-Za-z0-9_-]{32}$/);
  }
});
