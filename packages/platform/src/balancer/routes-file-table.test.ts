import { describe, expect, it } from 'vitest';
import { parseRoutesFile } from './routes-file.ts';
import { RoutesFileTable } from './routes-file-table.ts';

const groups = (routes: Readonly<Record<string, string>>) =>
  parseRoutesFile(
    JSON.stringify({
      routes: Object.entries(routes).map(([host, upstream]) => ({ host, upstreams: [upstream] })),
    }),
    'routes.json',
  );

describe('the table of a routes file', () => {
  it('changes by what is different only', () => {
    const table = new RoutesFileTable();
    const first = table.replace(groups({ 'a.test': '10.0.0.1:1', 'b.test': '10.0.0.1:2' }));
    expect(first.map(({ appName }) => appName)).toEqual(['a.test', 'b.test']);
    const second = table.replace(groups({ 'a.test': '10.0.0.1:1', 'b.test': '10.0.0.1:3' }));
    expect(second.map(({ appName }) => appName)).toEqual(['b.test']);
    expect(second[0]?.appId).toBe(first[1]?.appId);
  });

  it('does not change by another order', () => {
    const table = new RoutesFileTable();
    table.replace(groups({ 'a.test': '10.0.0.1:1', 'b.test': '10.0.0.1:2' }));
    expect(table.replace(groups({ 'b.test': '10.0.0.1:2', 'a.test': '10.0.0.1:1' }))).toEqual([]);
  });

  it('tells what is gone by empty routes, and never gives its number again', () => {
    const table = new RoutesFileTable();
    const [app] = table.replace(groups({ 'a.test': '10.0.0.1:1' }));
    expect(table.replace([])).toEqual([{ ...app, routes: [] }]);
    expect(table.apps).toEqual([]);
    expect(table.replace(groups({ 'a.test': '10.0.0.1:1' }))[0]?.appId).not.toBe(app?.appId);
  });
});
