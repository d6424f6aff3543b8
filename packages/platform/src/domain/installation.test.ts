import { describe, expect, it } from 'vitest';
import { appUid, buildUid, originOf, platformUid, serviceUid } from './installation.ts';

const APP_ID_MAX = 149_499;

describe('uids of an installation', () => {
  it('are never the same for two purposes', () => {
    const ids = [0, 1, 2, 500, 149_000, APP_ID_MAX];
    const uids = ids.flatMap((id) => [appUid(3, id), buildUid(3, id), serviceUid(3, id)]);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('stay within its slot', () => {
    expect(appUid(3, 0)).toBeGreaterThan(platformUid(3, 999));
    expect(buildUid(3, APP_ID_MAX)).toBeLessThan(serviceUid(3, 0));
    expect(serviceUid(3, APP_ID_MAX)).toBeLessThan(platformUid(4, 0));
  });

  it.each([-1, 0.5, NaN, APP_ID_MAX + 1])('refuse an app id of %d', (appId) => {
    expect(() => appUid(0, appId)).toThrow(RangeError);
    expect(() => serviceUid(0, appId)).toThrow(RangeError);
  });
});

describe('originOf', () => {
  it.each([
    [{ httpPort: 80, httpsPort: 443 }, 'http://a.example', 'https://a.example'],
    [{ httpPort: 8080, httpsPort: 8443 }, 'http://a.example:8080', 'https://a.example:8443'],
  ])('with %j', (ports, http, https) => {
    expect(originOf(ports, 'http', 'a.example')).toBe(http);
    expect(originOf(ports, 'https', 'a.example')).toBe(https);
  });
});
