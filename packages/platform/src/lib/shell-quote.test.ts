import { describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';
import { shellQuote } from './shell-quote.ts';

describe('shellQuote', () => {
  it('leaves plain words as they are', () => {
    expect(shellQuote(['postgres', '-D', '/data/15'])).toBe('postgres -D /data/15');
  });

  it.each([
    [['']],
    [["it's", '"quoted"', '$HOME', '`id`', 'a b']],
    [['line\nbreak', '\\', '*', ';', '&&', '~', '#no comment']],
  ])('is read back by a shell word for word: %j', async (words) => {
    const line = shellQuote(['printf', '%s\\0', ...words]);
    const { stdout } = await runCommand(['/bin/sh', '-c', line], { timeoutMs: 5_000 });
    expect(stdout.split('\0').slice(0, -1)).toEqual(words);
  });
});
