import { describe, expect, it } from 'vitest';
import { ALLOWED_SKIPS, readReport } from './suite-result.ts';

const report = (...files: { status?: string; tests?: string[]; message?: string }[]): string =>
  JSON.stringify({
    success: files.every(({ status = 'passed' }) => status === 'passed'),
    testResults: files.map(({ status = 'passed', tests = [], message }, index) => ({
      name: `file-${index}`,
      status,
      message,
      assertionResults: tests.map((each, at) => ({ fullName: `t${index}.${at}`, status: each })),
    })),
  });

describe('readReport', () => {
  it('counts tests over all files', () => {
    const text = report(
      { tests: ['passed', 'passed'] },
      { status: 'failed', tests: ['passed', 'failed'] },
    );
    expect(readReport('unit', text)).toMatchObject({ passed: 3, failed: 1 });
  });

  it('repeats the beginning of each failure', () => {
    const text = JSON.stringify({
      success: false,
      testResults: [
        {
          name: 'file',
          status: 'failed',
          assertionResults: [
            {
              fullName: 'a site answers',
              status: 'failed',
              failureMessages: [
                `AssertionError: expected 502 to be 200\n${'    at x\n'.repeat(90)}`,
              ],
            },
          ],
        },
      ],
    });
    const [remark = ''] = readReport('e2e', text).remarks;
    expect(remark).toContain('e2e: failed: a site answers\n    AssertionError: expected 502');
    expect(remark.split('\n').length).toBeLessThan(20);
  });

  it.each([undefined, '', '{"success":tr'])('fails without a whole report: %s', (text) => {
    expect(readReport('unit', text)).toMatchObject({ passed: 0, failed: 1 });
  });

  it('fails when no test was run', () => {
    expect(readReport('unit', report())).toMatchObject({ passed: 0, failed: 1 });
  });

  it('fails for a file that could not be loaded', () => {
    const text = report(
      { tests: ['passed'] },
      { status: 'failed', message: 'SyntaxError: x\n at' },
    );
    const result = readReport('unit', text);
    expect(result).toMatchObject({ passed: 1, failed: 1 });
    expect(result.remarks).toEqual(['unit: file-1: SyntaxError: x']);
  });

  it.each(['skipped', 'pending', 'todo'])('fails for a test that is %s, naming it', (status) => {
    const result = readReport('unit', report({ tests: ['passed', status] }));
    expect(result).toMatchObject({ passed: 1, failed: 1 });
    expect(result.remarks.join()).toContain('t0.1');
  });

  it('shows the reason of an allowed skip', () => {
    const result = readReport('unit', report({ tests: ['passed', 'skipped'] }), { 't0.1': 'why' });
    expect(result).toMatchObject({ passed: 1, failed: 0 });
    expect(result.remarks).toEqual(['unit: skipped: t0.1: why']);
  });

  it('fails for an error outside of the tests', () => {
    const text = JSON.stringify({ ...JSON.parse(report({ tests: ['passed'] })), success: false });
    expect(readReport('unit', text)).toMatchObject({ passed: 1, failed: 1 });
  });
});

it('allows no skip at all', () => {
  expect(ALLOWED_SKIPS).toEqual({});
});
