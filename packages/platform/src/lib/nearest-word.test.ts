import { describe, expect, it } from 'vitest';
import { nearestWord } from './nearest-word.ts';

const KEYS = ['host', 'path', 'upstreams', 'policy'];

describe('the nearest word', () => {
  it.each([
    ['hots', 'host'],
    ['hst', 'host'],
    ['Host', 'host'],
    ['upstream', 'upstreams'],
    ['upsteams', 'upstreams'],
    ['plicy', 'policy'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearestWord(typed, KEYS)).toBe(meant);
  });

  it.each(['', 'x', 'port', 'backends', 'aaaaaaaaaaaa'])('takes %j for nothing known', (typed) => {
    expect(nearestWord(typed, KEYS)).toBeUndefined();
  });

  it('has no answer where nothing is known', () => {
    expect(nearestWord('host', [])).toBeUndefined();
  });
});
