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

  it('goes on with the same app when an upstream joins or leaves', () => {
    const table = new RoutesFileTable();
    const [before] = table.replace(groups({ 'a.test': '10.0.0.1:1', 'b.test': '10.0.0.1:1' }));
    const routes = ['a.test', 'b.test'].map((host) => ({
      host,
      upstreams: ['10.0.0.1:1', '10.0.0.1:2'],
    }));
    const changed = table.replace(parseRoutesFile(JSON.stringify({ routes }), 'routes.json'));
    expect(changed.map(({ appId }) => appId)).toEqual([before?.appId]);
  });

  it('moves a host between apps when it leads elsewhere', () => {
    const table = new RoutesFileTable();
    table.replace(
      groups({ 'a.test': '10.0.0.1:1', 'b.test': '10.0.0.1:1', 'c.test': '10.0.0.1:2' }),
    );
    const changed = table.replace(
      groups({ 'a.test': '10.0.0.1:1', 'b.test': '10.0.0.1:2', 'c.test': '10.0.0.1:2' }),
    );
    expect(changed.map(({ routes }) => routes.map(({ host }) => host))).toEqual([
      ['a.test'],
      ['b.test', 'c.test'],
    ]);
    expect(table.apps).toHaveLength(2);
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
