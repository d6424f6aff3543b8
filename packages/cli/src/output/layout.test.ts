import { TandemError } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import { formatFailure } from './failure.ts';
import { indented, labelled, oneLine, printable, table } from './layout.ts';

describe('labelled', () => {
  it('puts the seconds at the right edge', () => {
    expect(labelled('Upload', '214 files, 1.9 MB', 400)).toBe(
      'Upload   214 files, 1.9 MB                                   0.4 s',
    );
    expect(labelled('', 'code 77ab01, 431 static files', 1_300)).toBe(
      '         code 77ab01, 431 static files                       1.3 s',
    );
  });

  it('keeps a space where the text is too long, or the label', () => {
    expect(labelled('Build', 'x'.repeat(80), 100)).toBe(`Build    ${'x'.repeat(80)} 0.1 s`);
    expect(labelled('Cancelled', 'v8')).toBe('Cancelled v8');
  });

  it('leaves no spaces at the end', () => {
    expect(labelled('Live', '')).toBe('Live');
  });
});

it('aligns the cells of a table', () => {
  expect(
    table(
      ['NAME', 'MEM'],
      [
        ['web.1', '142/300 MB'],
        ['worker.12', '-'],
      ],
    ),
  ).toBe(['NAME       MEM', 'web.1      142/300 MB', 'worker.12  -'].join('\n'));
});

it('stands continuation lines below the text', () => {
  expect(indented('Fix', 'one\ntwo', 2)).toBe('  Fix    one\n         two');
});

describe('failure', () => {
  it('says what, where, the next command and where to read on', () => {
    const error = new TandemError('HOST_REFUSED', 'Django refuses host "www.bakery.example"', {
      where: 'bakery/settings/production.py:14',
      hint: 'tandem config set --stage HOSTS=www.bakery.example\ntandem deploy --retry     (no rebuild)',
      log: 'tandem logs --release v8',
    });
    expect(formatFailure(error, 'v8 not released; v7 serves')).toBe(
      [
        'Failed   HOST_REFUSED. v8 not released; v7 serves',
        '  What   Django refuses host "www.bakery.example"',
        '  Where  bakery/settings/production.py:14',
        '  Fix    tandem config set --stage HOSTS=www.bakery.example',
        '         tandem deploy --retry     (no rebuild)',
        '  Log    tandem logs --release v8',
      ].join('\n'),
    );
  });

  it('leaves out what is not known', () => {
    expect(formatFailure(new TandemError('INTERNAL', 'oh'))).toBe('Failed   INTERNAL\n  What   oh');
  });
});

describe('printable', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;http://x\u001b\\link', 'link'],
    ['a\u0008b\u009bc\rd', 'abcd'],
    ['tab\tä 漢', 'tab\tä 漢'],
  ])('makes %j harmless', (text, clean) => expect(printable(text)).toBe(clean));

  it('cuts to one line', () => {
    expect(oneLine('one\ntwo', 80)).toBe('one two');
    expect(oneLine('x'.repeat(50), 10)).toBe('xxxxxxxx…');
  });
});
