import { TandemError } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Output, wantsColor } from './output.ts';

class Capture {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 60;
  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

function outputOf(options: { json?: boolean; isTTY?: boolean; color?: boolean } = {}) {
  const stdout = new Capture(options.isTTY);
  const stderr = new Capture();
  const { json = false, color = false } = options;
  return { output: new Output({ stdout, stderr, json, verbose: false, color }), stdout, stderr };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('for people', () => {
  it('speaks lines and no document', () => {
    const { output, stdout, stderr } = outputOf();
    output.line('Build', 'code', 1_000);
    output.document({ a: 1 });
    output.failure(new TandemError('NOT_FOUND', 'gone'));
    expect(stdout.text).toBe(`Build    code${' '.repeat(48)}1.0 s\n`);
    expect(stderr.text).toBe('Failed   NOT_FOUND\n  What   gone\n');
  });

  it('paints only what it was told to', () => {
    const { output, stdout } = outputOf({ color: true });
    output.line('Live', 'v1');
    expect(stdout.text).toBe('\u001b[1;32mLive\u001b[0m     v1\n');
  });

  it('moves on a terminal, and clears the line before the next one', () => {
    const { output, stdout } = outputOf({ isTTY: true });
    output.live('Build', 'installing\nthings');
    vi.advanceTimersByTime(200);
    expect(stdout.text).toBe('');
    vi.advanceTimersByTime(300);
    expect(stdout.text).toContain('\r\u001b[2KBuild');
    expect(stdout.text).toContain('installing things');
    output.line('Build', 'done');
    expect(stdout.text.endsWith('\r\u001b[2KBuild    done\n')).toBe(true);
    output.settle();
    const { length } = stdout.text;
    vi.advanceTimersByTime(1_000);
    expect(stdout.text.length).toBe(length);
  });

  it('does not move in a pipe', () => {
    const { output, stdout } = outputOf();
    output.live('Build', 'x');
    vi.advanceTimersByTime(5_000);
    expect(stdout.text).toBe('');
  });
});

describe('for programs', () => {
  it('speaks one document and no lines, errors included', () => {
    const { output, stdout, stderr } = outputOf({ json: true, isTTY: true });
    output.line('Build', 'code');
    output.live('Build', 'code');
    output.text('text');
    output.failure(new TandemError('NOT_FOUND', 'gone', { hint: 'tandem apps' }));
    vi.advanceTimersByTime(1_000);
    expect(stdout.text).toBe(
      '{"error":{"code":"NOT_FOUND","message":"gone","hint":"tandem apps"}}\n',
    );
    expect(stderr.text).toBe('');
  });
});

it('asks for colour only on a terminal that wants it', () => {
  expect(wantsColor(new Capture(true), {})).toBe(true);
  expect(wantsColor(new Capture(false), {})).toBe(false);
  expect(wantsColor(new Capture(true), { NO_COLOR: '1' })).toBe(false);
  expect(wantsColor(new Capture(true), { TERM: 'dumb' })).toBe(false);
});
