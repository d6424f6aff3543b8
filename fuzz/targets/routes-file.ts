// The routes file: taken or refused with a place and a reason, whatever people write.
import { TandemError } from '@tandem/protocol';
import { parseRoutesFile } from '../../packages/platform/src/balancer/routes-file.ts';
import { RoutesFileTable } from '../../packages/platform/src/balancer/routes-file-table.ts';
import { RouteMatcher } from '../../packages/platform/src/domain/route-match.ts';
import { foundSeeds } from '../seeds.ts';
import { claim, type FuzzTarget } from '../target.ts';

const file = (...routes: readonly unknown[]): Buffer =>
  Buffer.from(JSON.stringify({ routes }, undefined, routes.length));

function run(input: Buffer): void {
  const text = input.toString();
  const table = new RoutesFileTable();
  try {
    table.replace(parseRoutesFile(text, 'r.json'));
  } catch (error) {
    const complaint = error instanceof Error ? error.message : '';
    claim(
      error instanceof TandemError && error.code === 'ROUTES_FILE_INVALID',
      'a defect',
      String(error),
    );
    return claim(/^r\.json:\d+:\d+: \S/.test(complaint), 'a mistake without a place', complaint);
  }
  const written = JSON.parse(text.replace(/^\uFEFF/, '')) as { routes: unknown[] };
  const matcher = new RouteMatcher();
  let routes = 0;
  for (const app of table.apps) {
    matcher.set(app);
    for (const { host, path } of app.routes) {
      claim(path.startsWith('/'), 'a path that is none', path);
      claim(/^(?:\*\.)?[^\s/*A-Z]+$/.test(host), 'a host that is none', host);
      routes += 1;
    }
  }
  claim(routes >= written.routes.length, 'routes that were lost', routes, written.routes.length);
  for (const app of table.apps)
    for (const { host, path } of app.routes)
      claim(matcher.match(host.replace('*', 'x'), path) !== undefined, 'unreachable', host, path);
}

export const target: FuzzTarget = {
  name: 'routes-file',
  seeds: [
    ...foundSeeds('routes-file'),
    file({ host: 'a.test', upstreams: ['127.0.0.1:9001'] }),
    file(
      { host: 'a.test', path: '/', upstreams: ['127.0.0.1:9001', 'app.internal:1'] },
      { host: '*.b.test', path: '/api', upstreams: ['[::1]:9003'], policy: {} },
    ),
    file(
      { host: '[::1]', path: '/api/', upstreams: ['a:65535'] },
      { host: '1.2.3.4', upstreams: [] },
    ),
    file(),
    Buffer.from('{"routes": [{"host": "ä.test", "upstreams": ["x"], "x": 1, "x": 2}]}'),
    Buffer.from('\uFEFF{"routes": []}'),
  ],
  words: [
    ...[
      '"host"',
      '"path"',
      '"upstreams"',
      '"policy"',
      '"routes"',
      'null',
      'true',
      '[]',
      '{}',
      '[[',
      '{',
    ],
    ...['"*.a.test"', '"A.TEST."', '"[::1]:80"', '"/a b"', '"\\u0000"', '"\\ud800"', '"__proto__"'],
    ...[
      '1e999',
      '-0',
      ',',
      ':',
      '//',
      '/*',
      '\n',
      '"127.0.0.1:0"',
      '"%2f"',
      '"/.."',
      '"a.test:80"',
    ],
  ],
  run,
};
