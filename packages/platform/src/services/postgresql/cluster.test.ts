import { describe, expect, it } from 'vitest';
import { clusterInstance, type ClusterOptions } from './cluster.ts';

const options: ClusterOptions = {
  layers: [{ sha256: 'a'.repeat(64), sizeBytes: 1 }],
  major: 15,
  uid: 1_900_000_005,
  ipv6: 'fd00::5',
  ipv4: '100.64.0.5',
  port: 5432,
  adminAddresses: ['fd00::1'],
  appRanges: ['fd00::/64'],
  adminPassword: 'secret-of-the-admin',
  memoryBytes: 256 * 1024 * 1024,
  logPath: '/var/log/postgresql.log',
};
const idWith = (change: Partial<ClusterOptions>) =>
  clusterInstance({ ...options, ...change }).instanceId;

describe('clusterInstance', () => {
  it('keeps its id for as long as the server would notice nothing', () => {
    expect(idWith({})).toBe(clusterInstance(options).instanceId);
    expect(idWith({ adminPassword: 'rotated', logPath: '/elsewhere' })).toBe(idWith({}));
  });

  it.each<[string, Partial<ClusterOptions>]>([
    ['another stack', { layers: [{ sha256: 'b'.repeat(64), sizeBytes: 1 }] }],
    ['another address', { ipv6: 'fd00::6' }],
    ['other ranges of apps', { appRanges: ['fd00::/64', 'fd01::/64'] }],
    ['more memory', { memoryBytes: 1024 * 1024 * 1024 }],
  ])('is a new instance with %s', (_name, change) => {
    expect(idWith(change)).not.toBe(idWith({}));
  });

  it('has an id that a sandbox can carry, with the number of an attempt', () => {
    expect(`${idWith({})}-1000`).toMatch(/^[a-z0-9][a-z0-9-]{0,59}$/);
  });

  it('shows no secret on its command line', () => {
    expect(clusterInstance(options).command).not.toContain(options.adminPassword);
  });

  it('guards its volume with a lock and is stopped by SIGINT', () => {
    const instance = clusterInstance(options);
    expect(instance.command).toMatch(/^exec flock --no-fork /);
    expect(instance.stopSignal).toBe('SIGINT');
  });
});
