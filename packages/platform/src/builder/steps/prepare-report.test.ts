import { describe, expect, it } from 'vitest';
import { parsePrepareReport } from './prepare-report.ts';

const read = (report: object) =>
  parsePrepareReport(JSON.stringify({ stage: 'done', notes: [], ...report }));

describe('parsePrepareReport', () => {
  it('takes what our helper writes', () => {
    const migrations = ['auth.0001_initial', 'wagtailimages.0020_add-verbose-name'];
    const files = { url: '/static/', root: '/static', fileCount: 3 };
    expect(read({ migrations, static: files }).report).toMatchObject({ migrations, static: files });
  });

  it.each([
    { static: { url: '/', root: '/etc', fileCount: 1 } },
    { static: { url: '/', root: '/static/../etc', fileCount: 1 } },
    { entry: { module: 'x; rm -rf /', attribute: 'a', kind: 'wsgi' } },
    { migrations: ['no dot'] },
    { stage: 'else' },
  ])('refuses %j', (report) => {
    expect(read(report).flaw).toBeDefined();
  });

  it('says when there is none', () => {
    expect(parsePrepareReport(undefined)).toEqual({});
    expect(parsePrepareReport('{').flaw).toBeDefined();
  });
});
