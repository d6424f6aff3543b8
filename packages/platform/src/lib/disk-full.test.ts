import { describe, expect, it } from 'vitest';
import { isDiskFull } from './disk-full.ts';
import { CommandFailed } from './run-command.ts';

const failedWith = (stderr: string): CommandFailed =>
  new CommandFailed(['cp'], { exitCode: 1, stdout: '', stderr });

describe('isDiskFull', () => {
  it('knows the error of a system call, also as a cause', () => {
    const error = Object.assign(new Error('write'), { code: 'ENOSPC' });
    expect(isDiskFull(error)).toBe(true);
    expect(isDiskFull(new Error('packing', { cause: error }))).toBe(true);
  });

  it('knows what a child says', () => {
    expect(isDiskFull(failedWith('cp: write error: No space left on device'))).toBe(true);
  });

  it('denies other failures', () => {
    expect(isDiskFull(failedWith('Permission denied'))).toBe(false);
    expect(isDiskFull(Object.assign(new Error(), { code: 'EACCES' }))).toBe(false);
    expect(isDiskFull(undefined)).toBe(false);
  });
});
