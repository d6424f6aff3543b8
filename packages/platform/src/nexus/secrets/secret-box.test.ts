import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { SealedSecret, type ClusterKey } from './sealed-secret.ts';
import { secretBox } from './secret-box.ts';

const makeKey = (kid: string): ClusterKey => ({ kid, key: randomBytes(32) });
const old = makeKey('00000001');
const current = makeKey('00000002');
const box = secretBox([old, current]);
const path = 'apps/12/config/STRIPE_KEY';
const sealed = box.seal(path, 'sk_live_1');

/** The same text with its first character changed. */
const alter = (text: string): string => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);

describe('SecretBox', () => {
  it.each(['', 'x', 'sk_live_1', 'grüße 🚲\n\0', 'x'.repeat(100_000)])(
    'opens what it sealed (%#)',
    (plaintext) => {
      expect(box.open(path, box.seal(path, plaintext))).toBe(plaintext);
    },
  );

  it('seals into JSON that matches the schema and shows nothing of the secret', () => {
    const stored = JSON.parse(JSON.stringify(sealed)) as unknown;
    expect(v.parse(SealedSecret, stored)).toEqual(sealed);
    expect(box.open(path, v.parse(SealedSecret, stored))).toBe('sk_live_1');
    expect(JSON.stringify(sealed)).not.toContain('sk_live');
  });

  it('never seals twice alike', () => {
    const again = box.seal(path, 'sk_live_1');
    expect(again.data).not.toBe(sealed.data);
    expect(again.iv).not.toBe(sealed.iv);
  });

  it('seals with the newest key and opens with every key', () => {
    expect(sealed.kid).toBe(current.kid);
    const before = secretBox([old]).seal(path, 'older');
    expect(before.kid).toBe(old.kid);
    expect(box.open(path, before)).toBe('older');
  });

  it.each([
    ['another app', 'apps/13/config/STRIPE_KEY', sealed],
    ['another name', 'apps/12/config/STRIPE_KEY2', sealed],
    ['no path', '', sealed],
    ['altered data', path, { ...sealed, data: alter(sealed.data) }],
    ['data cut off', path, { ...sealed, data: sealed.data.slice(0, -4) }],
    ['no data', path, { ...sealed, data: '' }],
    ['another nonce', path, { ...sealed, iv: alter(sealed.iv) }],
    ['another tag', path, { ...sealed, tag: alter(sealed.tag) }],
    ['the tag cut off', path, { ...sealed, tag: sealed.tag.slice(0, 6) }],
    ['the nonce cut off', path, { ...sealed, iv: sealed.iv.slice(0, 8) }],
    ['the id of another key', path, { ...sealed, kid: old.kid }],
    ['the id of an unknown key', path, { ...sealed, kid: 'ffffffff' }],
    ['another algorithm', path, { ...sealed, alg: 'none' }],
    ['a plain string', path, 'sk_live_1'],
    ['nothing', path, undefined],
  ])('refuses %s', (_case, at, value) => {
    expect(() => box.open(at, value as SealedSecret)).toThrow(
      expect.objectContaining({ code: 'SECRET_UNREADABLE' }) as Error,
    );
  });

  it('names the key that is missing', () => {
    expect(() => secretBox([old]).open(path, sealed)).toThrow(/cluster key 00000002/);
  });

  it('does not open with another key of the same id', () => {
    const impostor = secretBox([makeKey(current.kid)]);
    expect(() => impostor.open(path, sealed)).toThrow(/altered/);
  });

  it('needs a key', () => {
    expect(() => secretBox([])).toThrow(/no cluster key/);
  });
});
