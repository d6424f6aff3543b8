import { expect, it } from 'vitest';
import { parseRoutesFile } from '../../balancer/index.ts';
import { RoutesFileTable } from '../../balancer/routes-file-table.ts';
import { packApps, unpackApps } from './packed-apps.ts';

const upstreams = ['127.0.0.1:9001', '127.0.0.1:9002'];

it('comes out as it went in, with one target for all that lead there', () => {
  const table = new RoutesFileTable();
  const routes = [
    ...['a.test', 'b.test', 'c.test'].map((host) => ({ host, path: '/x', upstreams })),
    { host: 'a.test', upstreams: ['127.0.0.1:9003'] },
  ];
  table.replace(parseRoutesFile(JSON.stringify({ routes }), 'routes.json'));
  const sent = JSON.parse(JSON.stringify(packApps(table.apps))) as ReturnType<typeof packApps>;
  const apps = unpackApps(sent);
  expect(apps).toEqual(table.apps);
  const targets = apps.flatMap((app) => app.routes.map(({ target }) => target));
  expect([targets.length, new Set(targets).size]).toEqual([7, 2]);
});

it('takes an app that is gone', () => {
  const gone = [{ appId: 1, appName: 'a.test', routes: [] }];
  expect(unpackApps(packApps(gone))).toEqual(gone);
});
