import { describe, expect, it } from 'vitest';
import { CertificateChoice } from './certificate-choice.ts';

function choice() {
  const made = new CertificateChoice<string>();
  made.fallback = 'default';
  made.set('wild', ['*.example'], 'wild');
  made.set('www', ['www.example', 'example'], 'www');
  return made;
}

describe('the certificate for a server name', () => {
  it.each([
    ['www.example', 'www'],
    ['WWW.Example.', 'www'],
    ['example', 'www'],
    ['shop.example', 'wild'],
    ['a.shop.example', 'default'],
    ['*.example', 'wild'],
    ['other.test', 'default'],
    ['', 'default'],
    ['.example', 'default'],
    ['localhost', 'default'],
    [undefined, 'default'],
  ])('%s', (name, expected) => {
    expect(choice().choose(name)).toBe(expected);
  });

  it('is nobody’s without a default', () => {
    expect(new CertificateChoice<string>().choose('a.example')).toBeUndefined();
  });

  it('follows replacement and removal, with the names of each', () => {
    const made = choice();
    made.set('www', ['www.example'], 'newer');
    expect(made.choose('www.example')).toBe('newer');
    expect(made.choose('example')).toBe('default');
    made.delete('www');
    expect(made.choose('www.example')).toBe('wild');
  });

  it('goes back to who had the name before', () => {
    const made = choice();
    made.set('newer', ['www.example'], 'newer');
    expect(made.choose('www.example')).toBe('newer');
    made.delete('newer');
    expect(made.choose('www.example')).toBe('www');
  });
});
