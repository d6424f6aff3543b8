// Policies in a routes file: mistakes are named by line and field, and what the documentation shows is
// right.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRoutesFile } from './routes-file.ts';
import { RoutesFileTable } from './routes-file-table.ts';

const DOCUMENT = join(import.meta.dirname, '../../../../docs/operating/standalone-balancer.md');
const HASH = `$scrypt$ln=15,r=8,p=1$${'a'.repeat(22)}$${'a'.repeat(43)}`;

const route = (more: object): object => ({ host: 'a.test', upstreams: ['127.0.0.1:1'], ...more });
const parse = (...routes: object[]) =>
  parseRoutesFile(JSON.stringify({ routes }, null, 1), 'routes.json');

function complaintOf(more: object): string {
  try {
    parse(route(more));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

describe('a policy in a routes file', () => {
  it('belongs to the group of routes that has it', () => {
    const policy = { compression: true };
    const groups = parse(
      route({ policy }),
      route({ host: 'b.test', policy: { compression: true } }),
      route({ host: 'c.test' }),
    );
    expect(groups.map(({ routes, policy }) => [routes.length, policy])).toEqual([
      [2, policy],
      [1, undefined],
    ]);
  });

  it('that changes is a change of the same app', () => {
    const table = new RoutesFileTable();
    const [before] = table.replace(parse(route({ policy: { allow: ['::1'] } })));
    const changed = table.replace(parse(route({ policy: { allow: ['::2'] } })));
    expect(changed).toEqual([{ ...before, policy: { allow: ['::2'] } }]);
    expect(table.replace(parse(route({ policy: { allow: ['::2'] } })))).toEqual([]);
    expect(table.replace(parse(route({})))[0]?.policy).toBeUndefined();
  });

  it.each([
    [{ alow: [] }, 'policy.alow: this key is not known; did you mean "allow"?'],
    [{ allow: '10.0.0.1' }, 'policy.allow: a list [...] is needed, not "10.0.0.1"'],
    [
      { allow: ['::1', '10.0.0.0/33'] },
      'policy.allow[1]: an address or a range like 10.0.0.0/8 is needed, not "10.0.0.0/33"',
    ],
    [{ rateLimit: {} }, 'policy.rateLimit: "requestsPerS" is missing'],
    [{ rateLimit: { requestsPerS: 0 } }, 'requestsPerS: a number from 0.01 to 1000000 is needed'],
    [{ rateLimit: { requestsPerS: 1, burst: 1.5 } }, 'burst: a whole number is needed'],
    [
      { rateLimit: { requestsPerS: 1, bursts: 2 } },
      'policy.rateLimit.bursts: this key is not known; did you mean "burst"?',
    ],
    [{ basicAuth: { users: {} } }, 'policy.basicAuth.users: at least one user is needed'],
    [{ basicAuth: { users: { 'a:b': HASH } } }, 'a user name without a colon is needed, not "a:b"'],
    [
      { basicAuth: { users: { ada: 'secret' } } },
      'basicAuth.users.ada: a hash of `tandem balancer',
    ],
    [{ basicAuth: { users: { ada: HASH }, realm: 'a"b' } }, 'realm: a realm of plain characters'],
    [{ basicAuth: { users: { ada: HASH }, exemptPaths: ['/a/../b'] } }, 'exemptPaths[0]: a path'],
    [{ maintenance: { html: 'x'.repeat(70_000) } }, 'html: at most 65536 characters are needed'],
    [{ limits: { requestBodyBytesMax: -1 } }, 'requestBodyBytesMax: a number from 0 to'],
    [{ responseHeaders: { set: { Host: 'x' } } }, 'set.Host: only the balancer says this header'],
    [{ responseHeaders: { set: { 'X-A': 'a\nb' } } }, 'X-A: a value without line breaks'],
    [{ requestHeaders: { remove: ['X-Forwarded-For'] } }, 'remove[0]: only the balancer says'],
    [{ compression: 'gzip' }, 'policy.compression: true or false is needed, not "gzip"'],
    [{ redirectToHttps: true }, 'policy.redirectToHttps: an object {...} is needed, not true'],
  ])('%j is told as %s', (policy, complaint) => {
    const message = complaintOf({ policy });
    expect(message).toContain(complaint);
    expect(message).toMatch(/^routes\.json:\d+:\d+: routes\[0\]\.policy/);
    expect(message).not.toContain('secret');
  });

  it('names the line', () => {
    expect(complaintOf({ policy: { allow: ['::1', 'x'] } })).toMatch(/^routes\.json:11:6: /);
  });
});

describe('a canary in a routes file', () => {
  it('stands beside the upstreams', () => {
    const [group] = parse(route({ canary: { weight: 0.1, upstreams: ['127.0.0.1:2'] } }));
    expect(group?.routes[0]?.target).toMatchObject({
      canary: { weight: 0.1, upstreams: [{ instanceId: '127.0.0.1:2', port: 2 }] },
    });
  });

  it.each([
    [{ upstreams: ['127.0.0.1:2'] }, 'canary: "weight" is missing'],
    [{ weight: 2, upstreams: ['127.0.0.1:2'] }, 'canary.weight: a number from 0 to 1 is needed'],
    [{ weight: 1, upstreams: [] }, 'canary.upstreams: at least one ADDRESS:PORT is needed'],
    [{ weight: 1, upstreams: ['x'] }, 'canary.upstreams[0]: ADDRESS:PORT is needed, not "x"'],
    [
      { weight: 1, upstreams: ['a:1', 'A:1'] },
      'canary.upstreams[1]: a:1 stands in the list already',
    ],
    [{ weight: 1, upstreams: ['a:1'], sticky: true }, 'sticky: "client" or "cookie" is needed'],
    [{ weigth: 1, upstreams: ['a:1'] }, 'this key is not known; did you mean "weight"?'],
  ])('%j is told as %s', (canary, complaint) =>
    expect(complaintOf({ canary })).toContain(complaint),
  );
});

describe('the documentation', () => {
  const text = readFileSync(DOCUMENT, 'utf8');
  const examples = [...text.matchAll(/^```json\n([^]*?)^```/gm)].map(([, json = '']) =>
    json.replace(/\$scrypt\$[^"]*/, HASH),
  );
  const policies = examples.filter((json) => json.startsWith('"policy"'));

  it('shows every policy', () => {
    for (const key of ['allow', 'rateLimit', 'redirectToHttps', 'maintenance', 'basicAuth'])
      expect(
        policies.some((json) => json.includes(`"${key}"`)),
        key,
      ).toBe(true);
    for (const key of ['limits', 'requestHeaders', 'responseHeaders', 'compression'])
      expect(
        policies.some((json) => json.includes(`"${key}"`)),
        key,
      ).toBe(true);
  });

  it.each(policies)('is right: %s', (json) =>
    expect(parse(route(JSON.parse(`{${json}}`) as object))).toHaveLength(1),
  );

  it('shows a canary', () => {
    const json = examples.find((one) => one.includes('"canary"')) ?? '';
    expect(parse(JSON.parse(json) as object)).toHaveLength(1);
  });
});
