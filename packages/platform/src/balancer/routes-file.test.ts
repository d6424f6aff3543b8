import { describe, expect, it } from 'vitest';
import { hasCode } from '@tandem/protocol';
import { parseRoutesFile } from './routes-file.ts';

const parse = (text: string) => parseRoutesFile(text, 'routes.json');
const file = (...routes: unknown[]): string => JSON.stringify({ routes });
const route = (more: object = {}) => ({ host: 'a.test', upstreams: ['127.0.0.1:9001'], ...more });

function complaintOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (hasCode(error, 'ROUTES_FILE_INVALID')) return (error as Error).message;
    throw error;
  }
  throw new Error('it was taken');
}

/** Host and path of each rule, as the route table has them. */
const rules = (text: string) =>
  parse(text).flatMap(({ routes }) =>
    routes.map(({ host, path, isExact }) => `${host} ${path}${isExact ? ' exact' : ''}`),
  );

describe('a routes file', () => {
  it('gives one group of routes for each set of upstreams', () => {
    const text = file(
      route({ path: '/' }),
      route({ host: 'b.test' }),
      route({ path: '/api/', upstreams: ['10.0.0.1:80', '10.0.0.2:80'] }),
      route({ host: 'c.test', upstreams: ['10.0.0.2:80', '10.0.0.1:80'] }),
    );
    const groups = parse(text);
    expect(groups.map(({ name, routes }) => [name, routes.length])).toEqual([
      ['a.test', 2],
      ['a.test', 2],
    ]);
    expect(groups[1]?.routes[0]).toEqual({
      host: 'a.test',
      path: '/api/',
      target: {
        kind: 'upstreams',
        upstreams: [
          { instanceId: '10.0.0.1:80', address: '10.0.0.1', port: 80 },
          { instanceId: '10.0.0.2:80', address: '10.0.0.2', port: 80 },
        ],
      },
    });
  });

  it('divides what is many into groups of a bounded size, evenly', () => {
    const routes = Array.from({ length: 20_000 }, (_, n) => route({ host: `h${n}.example` }));
    const sizes = parse(file(...routes)).map((group) => group.routes.length);
    expect(sizes.length).toBe(32);
    expect(Math.max(...sizes)).toBeLessThan(1_024);
    expect(Math.min(...sizes)).toBeGreaterThan(300);
  });

  it('may be empty of routes', () => expect(parse('{"routes": []}')).toEqual([]));

  it('may begin with a byte order mark', () =>
    expect(parse(`\uFEFF${file(route())}`)).toHaveLength(1));

  it('takes / for a path that is not given', () =>
    expect(rules(file(route()))).toEqual(['a.test /']));

  it('takes a path without a slash at its end for itself and all below', () => {
    expect(rules(file(route({ path: '/api' })))).toEqual(['a.test /api exact', 'a.test /api/']);
  });

  it('takes hosts in any case, suffixes, addresses', () => {
    const hosts = ['A.Test', '*.b.test', '127.0.0.1', '[::1]', 'my_host', 'localhost'];
    expect(rules(file(...hosts.map((host) => route({ host }))))).toEqual([
      ...['a.test /', '*.b.test /', '127.0.0.1 /', '[::1] /', 'my_host /', 'localhost /'],
    ]);
  });

  it('takes upstreams by address of both families and by name', () => {
    const [group] = parse(
      file(route({ upstreams: ['[::1]:80', '10.0.0.1:81', 'App-1.local:82'] })),
    );
    const target = group?.routes[0]?.target;
    expect(target?.kind === 'upstreams' && target.upstreams.map((one) => one.address)).toEqual([
      ...['::1', '10.0.0.1', 'app-1.local'],
    ]);
  });

  it('takes an empty policy', () => expect(parse(file(route({ policy: {} })))).toHaveLength(1));

  it('reads 100,000 routes in a few seconds on a busy machine', () => {
    const routes = Array.from({ length: 100_000 }, (_, index) => route({ host: `h${index}.test` }));
    const startedMs = performance.now();
    expect(rules(JSON.stringify({ routes }, undefined, 1))).toHaveLength(100_000);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe('a routes file that is no JSON', () => {
  it.each([
    ['', '1:1: the file is empty'],
    [' \n', '1:1: the file is empty'],
    ['{', '1:2: the file ends early: a } is needed here'],
    ['{"routes": [\n', '2:1: the file ends early: a ] is needed here'],
    ['{"routes": [{"host": "a.te', '1:22: a string is not closed'],
    ['{"routes": []} x', '1:16:'],
    ['{"routes": [],}', '1:15: a key in double quotes is needed here'],
    ['{routes: []}', '1:2:'],
    ["{'routes': []}", '1:2:'],
    ['{"routes" []}', '1:11: a colon is needed here'],
    ['{"routes": [1 2]}', '1:15: a comma is needed here'],
    ['{\n  // all of them\n  "routes": []}', '2:3: comments are not part of JSON'],
    ['{"routes": ["\\x"]}', 'this character cannot be escaped'],
    ['hello', '1:1: this is no JSON'],
  ])('%j: %s', (text, complaint) => {
    const said = complaintOf(text);
    expect(said).toMatch(/^routes\.json:\d+:\d+: /);
    expect(said).toContain(complaint);
    expect(said).not.toContain('\n');
  });
});

describe('a routes file of the wrong shape', () => {
  it.each([
    ['{}', '1:1: "routes" is missing'],
    ['[]', '1:1: "routes" is missing'],
    ['7', '1:1: an object {...} is needed, not 7'],
    ['{"routes": {}}', '1:12: routes: a list [...] is needed, not an object'],
    ['{"route": [], "routes": []}', '1:2: route: this key is not known; did you mean "routes"?'],
    [file('a.test'), 'routes[0]: an object {...} is needed, not "a.test"'],
    [file({ host: 'a.test' }), '1:12: routes[0]: "upstreams" is missing'],
    [file(route({ host: 5 })), 'routes[0].host: a string is needed, not 5'],
    [file(route({ upstreams: '127.0.0.1:1' })), 'routes[0].upstreams: a list [...] is needed, not'],
    [file(route({ upstreams: [] })), 'routes[0].upstreams: at least one ADDRESS:PORT is needed'],
    [file(route({ upstreams: [80] })), 'routes[0].upstreams[0]: a string is needed, not 80'],
    [file(route({ hots: 'a' })), 'routes[0].hots: this key is not known; did you mean "host"?'],
    [
      file(route({ backend: 'a' })),
      'routes[0].backend: this key is not known; there are "host", "path", "upstreams", "canary", "policy"',
    ],
    [file(route({ policy: { magic: 1 } })), 'routes[0].policy.magic: this key is not known'],
    [file(route({ policy: true })), 'routes[0].policy: an object {...} is needed, not true'],
  ])('%s: %s', (text, complaint) => {
    expect(complaintOf(text)).toContain(complaint);
  });

  it.each([
    ['', 'routes[0][""]'],
    ['a b', 'routes[0]["a b"]'],
    ['a\nb', 'routes[0]["a\\nb"]'],
    ['x'.repeat(500), `routes[0]["${'x'.repeat(40)}`],
  ])('tells a key that is no word in quotes: %j', (key, field) => {
    const text = `{"routes":[{${JSON.stringify(key)}:1,${JSON.stringify(key)}:2}]}`;
    expect(complaintOf(text)).toContain(field);
    expect(complaintOf(text).split('\n')).toHaveLength(1);
  });

  it('is refused for a key given twice', () => {
    const text = '{"routes": [\n {"host": "a.test",\n  "host": "b.test", "upstreams": ["a:1"]}]}';
    expect(complaintOf(text)).toBe('routes.json:3:3: routes[0].host: this key stands here twice');
  });
});

describe('a field that does not do', () => {
  it.each([
    ['', 'a host name or *.suffix is needed, not ""'],
    ['a..test', 'is needed, not "a..test"'],
    ['-a.test', 'is needed, not "-a.test"'],
    ['a.test.', 'leave out the dot at its end'],
    ['a.test:8080', 'a host name without a port is needed'],
    ['http://a.test/', 'a host name is needed, not the URL "http://a.test/"'],
    ['*', '* stands for whole labels, and only at the beginning'],
    ['a.*.test', '* stands for whole labels'],
    ['*a.test', '* stands for whole labels'],
    ['bücher.example', 'browsers send it as "xn--bcher-kva.example"'],
    ['a b', 'is needed, not "a b"'],
    [`${'a'.repeat(64)}.test`, 'is needed, not'],
    [`${'a.'.repeat(150)}test`, 'is needed, not'],
    ['[::1', 'is needed, not "[::1"'],
  ])('host %j: %s', (host, complaint) => {
    expect(complaintOf(file(route({ host })))).toContain(`routes[0].host: `);
    expect(complaintOf(file(route({ host })))).toContain(complaint);
  });

  it.each([
    ['', 'a path that begins with / is needed, not ""'],
    ['api', 'a path that begins with / is needed, not "api"'],
    ['/a?b', 'a path without ? and # is needed'],
    ['/a b', 'other characters as %XX'],
    ['/ü', 'other characters as %XX'],
    ['/%zz', 'other characters as %XX'],
    ['/a//b', 'without //'],
    ['/a/../b', 'without //, /./ and /../'],
    ['/..', 'without //, /./ and /../'],
    [`/${'a'.repeat(2_000)}`, 'at most 1024 characters'],
  ])('path %j: %s', (path, complaint) => {
    expect(complaintOf(file(route({ path })))).toContain(`routes[0].path: `);
    expect(complaintOf(file(route({ path })))).toContain(complaint);
  });

  it.each([
    ['x', 'ADDRESS:PORT is needed, not "x"'],
    ['127.0.0.1', 'ADDRESS:PORT is needed, not "127.0.0.1"'],
    [':80', 'ADDRESS:PORT is needed'],
    ['http://127.0.0.1:80', 'leave out http://'],
    ['::1:80', 'an IPv6 address is written [::1]:80'],
    ['[::1]', 'an IPv6 address is written [::1]:80'],
    ['[zz]:80', 'ADDRESS:PORT is needed'],
    ['127.0.0.1:0', 'a port from 1 to 65535 is needed, not 0'],
    ['127.0.0.1:65536', 'a port from 1 to 65535 is needed, not 65536'],
    ['127.0.0.256:80', '"127.0.0.256" in "127.0.0.256:80" is neither an IP address nor a name'],
    ['10.1:80', 'is neither an IP address nor a name'],
    ['a_-:80', 'is neither an IP address nor a name'],
    ['unix:/run/a.sock', 'ADDRESS:PORT is needed'],
  ])('upstream %j: %s', (upstream, complaint) => {
    const said = complaintOf(file(route({ upstreams: ['127.0.0.1:1', upstream] })));
    expect(said).toContain('routes[0].upstreams[1]: ');
    expect(said).toContain(complaint);
  });

  it('is told with its line and column', () => {
    const text = `{"routes": [\n${JSON.stringify(route())},\n  {"host": "b.test", "upstreams":\n    ["x"]}\n]}`;
    expect(complaintOf(text)).toBe(
      'routes.json:4:6: routes[1].upstreams[0]: ADDRESS:PORT is needed, not "x"',
    );
  });

  it('is told together with the others, in their order', () => {
    const lines = complaintOf(file(route({ host: 'a b', upstreams: ['x'] }), route({ path: 'y' })));
    expect(lines.split('\n').map((line) => line.split(': ')[1])).toEqual([
      ...['routes[0].host', 'routes[0].upstreams[0]', 'routes[1].path'],
    ]);
  });

  it('is counted when there are too many to tell', () => {
    const text = file(...Array.from({ length: 50 }, (_, n) => route({ host: `h${n}`, path: 'x' })));
    const lines = complaintOf(text).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('routes.json: and 30 more');
  });

  it('is quoted only in part when it is long', () => {
    expect(complaintOf(file(route({ upstreams: ['x'.repeat(10_000)] }))).length).toBeLessThan(250);
  });
});

describe('two routes for one place', () => {
  const twice = (a: object, b: object): string =>
    `{"routes": [\n${JSON.stringify(route(a))},\n${JSON.stringify(route(b))}\n]}`;

  it('are refused, both lines named', () => {
    expect(complaintOf(twice({ path: '/x/' }, { path: '/x/' }))).toBe(
      'routes.json:3:1: routes[1]: "a.test" has a route for "/x/" already: routes[0] in line 2',
    );
  });

  it.each([
    [{ host: 'a.test' }, { host: 'A.TEST' }],
    [{ path: '/' }, {}],
    [{ path: '/api' }, { path: '/api/' }],
  ])('are seen where they are spelled differently: %j %j', (a, b) => {
    expect(complaintOf(twice(a, b))).toContain('already: routes[0] in line 2');
  });

  it.each([
    [{ host: 'a.test' }, { host: '*.test' }],
    [{ path: '/api' }, { path: '/api/v1' }],
    [{ path: '/a' }, { path: '/A' }],
  ])('are not seen where there are none: %j %j', (a, b) => {
    expect(() => parse(twice(a, b))).not.toThrow();
  });

  it('is not the same upstream twice, which is refused as well', () => {
    expect(complaintOf(file(route({ upstreams: ['127.0.0.1:1', '127.0.0.1:01'] })))).toContain(
      'routes[0].upstreams[1]: 127.0.0.1:1 stands in the list already',
    );
  });
});
