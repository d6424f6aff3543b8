import { describe, expect, it } from 'vitest';
import type { Session } from '../session.ts';
import { parseAssignments } from './config.ts';
import { parseRelease } from './rollback.ts';
import { parseFormation } from './scale.ts';

const MIB = 1024 * 1024;

describe('scale', () => {
  it('reads counts and sizes, either of them alone', () => {
    expect(parseFormation(['web=2', 'worker=1:512M', 'beat=:1G', 'x_y-z=0'])).toEqual({
      processes: {
        web: { count: 2 },
        worker: { count: 1, memoryBytes: 512 * MIB },
        beat: { memoryBytes: 1024 * MIB },
        'x_y-z': { count: 0 },
      },
    });
  });

  it.each(['web', 'web=', '=2', 'web=2:', 'web=-1', 'web=1.5', 'web=two', 'web=1:lots', 'we b=1'])(
    'refuses %j',
    (arg) => expect(() => parseFormation([arg])).toThrow(/is not a/),
  );
});

describe('rollback', () => {
  it('takes v7 and 7', () => {
    expect([parseRelease('v7'), parseRelease('7')]).toEqual([7, 7]);
  });

  it.each(['', 'v', 'v0', '-1', 'v1.5', 'seven', 'V7'])('refuses %j', (text) =>
    expect(() => parseRelease(text)).toThrow('is not a release'),
  );
});

describe('config set', () => {
  const session = (input: string) =>
    ({
      io: { stdin: [Buffer.from(input)] },
      interactive: false,
    }) as unknown as Session;

  it('splits at the first =', async () => {
    expect(await parseAssignments(session(''), ['A=1', 'B=x=y', 'C='])).toEqual({
      A: '1',
      B: 'x=y',
      C: '',
    });
  });

  it('reads one value from the input, without its last newline', async () => {
    expect(await parseAssignments(session('line 1\nline 2\n'), ['KEY'])).toEqual({
      KEY: 'line 1\nline 2',
    });
  });

  it('refuses two without a value', async () => {
    await expect(parseAssignments(session(''), ['A', 'B'])).rejects.toMatchObject({
      code: 'USAGE',
      hint: 'tandem config set A=VALUE B=VALUE',
    });
  });
});
