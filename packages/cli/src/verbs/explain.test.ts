import type { Explanation } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import { Output } from '../output/output.ts';
import { tellExplanation } from './explain.ts';

const told = (over: Partial<Explanation>): string => {
  let text = '';
  const screen = { write: (part: string) => (text += part) };
  const output = new Output({
    stdout: screen,
    stderr: screen,
    json: false,
    verbose: false,
    color: false,
  });
  tellExplanation(output, {
    app: 'bakery',
    subject: 'd7',
    state: 'failed',
    summary: 'Deploy d7 of "bakery" failed in migrate; v6 serves.',
    lines: [],
    candidates: [],
    processes: [],
    ...over,
  });
  return text;
};

describe('tandem explain', () => {
  it('says what, where, fix, what was seen and what else it may be', () => {
    const text = told({
      cause: {
        code: 'MIGRATION_CONFLICT',
        message: 'Two migrations follow the same one.',
        where: 'shop/migrations',
        hint: 'python manage.py makemigrations --merge',
      },
      lines: ['CommandError: Conflicting migrations', '\u001b[31mred\u001b[0m'],
      candidates: [{ code: 'MODULE_MISSING', message: 'Module "x".', hint: 'add x' }],
      processes: [
        { name: 'web.1', release: 6, state: 'running', restarts: 0 },
        { name: 'worker.1', release: 6, state: 'crashed', restarts: 2, reason: 'out of memory' },
      ],
    });
    expect(text).toBe(
      [
        'Deploy d7 of "bakery" failed in migrate; v6 serves.',
        'Failed   MIGRATION_CONFLICT',
        '  What   Two migrations follow the same one.',
        '  Where  shop/migrations',
        '  Fix    python manage.py makemigrations --merge',
        '  Seen   CommandError: Conflicting migrations',
        '         red',
        'Maybe    MODULE_MISSING: Module "x".',
        '  Fix    add x',
        'Runs     worker.1 crashed, 2 restarts: out of memory',
        '',
      ].join('\n'),
    );
  });

  it('is short when all is well', () => {
    const summary = 'The last deploy of "bakery", d1, succeeded; v1 serves.';
    const processes = [{ name: 'web.1', release: 1, state: 'running', restarts: 0 }];
    expect(told({ state: 'live', summary, processes })).toBe(`${summary}\n`);
  });

  it('shows a code of a newer platform all the same', () => {
    const text = told({ cause: { code: 'BRAND_NEW', message: 'Odd.' } });
    expect(text).toContain('BRAND_NEW: Odd.');
  });
});
