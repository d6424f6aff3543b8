import { describe, expect, it } from 'vitest';
import type { ServiceAttachment } from '../../ports/service-kind.ts';
import type { RedisCredentials } from './credentials.ts';
import { redisInstance, type ServerPlace } from './server.ts';

const attachment: ServiceAttachment<RedisCredentials> = {
  appId: 7,
  appName: 'bakery',
  credentials: { ipv6: 'fd00::7', ipv4: '100.64.0.7', password: 'secret-of-the-app' },
};
const place: ServerPlace = {
  layers: [{ sha256: 'a'.repeat(64), sizeBytes: 1 }],
  uid: 1_900_300_007,
  logPathOf: (id) => `/logs/7/redis~-~${id}.log`,
};

function idWith(
  credentials: Partial<RedisCredentials>,
  changedPlace: Partial<ServerPlace> = {},
): string {
  const changed = { ...attachment, credentials: { ...attachment.credentials, ...credentials } };
  return redisInstance(changed, { ...place, ...changedPlace }).instanceId;
}

describe('redisInstance', () => {
  it('keeps its id for as long as the server would notice nothing', () => {
    expect(idWith({})).toBe(idWith({}, { logPathOf: () => '/elsewhere' }));
    const renamed = redisInstance({ ...attachment, appName: 'brewery' }, place);
    expect(renamed.instanceId).toBe(idWith({}));
  });

  it.each<[string, Partial<RedisCredentials>, Partial<ServerPlace>]>([
    ['another password', { password: 'rotated' }, {}],
    ['another address', { ipv6: 'fd00::8' }, {}],
    ['another stack', {}, { layers: [{ sha256: 'b'.repeat(64), sizeBytes: 1 }] }],
  ])('is a new instance with %s', (_name, credentials, changed) => {
    expect(idWith(credentials, changed)).not.toBe(idWith({}));
  });

  it('has an id that a sandbox can carry, with the number of an attempt', () => {
    const longest = redisInstance({ ...attachment, appId: 149_499 }, place).instanceId;
    expect(`${longest}-1000`).toMatch(/^[a-z0-9][a-z0-9-]{0,59}$/);
  });

  it('shows the password nowhere', () => {
    const { command, env } = redisInstance(attachment, place);
    const { password } = attachment.credentials;
    expect(command + JSON.stringify(env)).not.toContain(password);
  });

  it('guards its volume with a lock, ends in order, and is never given up', () => {
    const instance = redisInstance(attachment, place);
    expect(instance.command).toMatch(/^exec flock --no-fork /);
    expect(instance).toMatchObject({ stopSignal: 'SIGTERM', essential: true, links: [] });
    expect(instance.volumes).toEqual([{ name: 'redis', target: '/data' }]);
  });
});
