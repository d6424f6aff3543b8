import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../domain/limits.ts';
import { accessRules, clusterMemoryBytes, serverSettings } from './settings.ts';

const MIB = 1024 * 1024;
const addresses = {
  listen: ['fd00::5', '100.64.0.5'],
  port: 5432,
  admin: ['fd00::1', '100.64.0.1'],
  apps: ['fd00::/64', '100.64.0.0/18'],
};

describe('clusterMemoryBytes', () => {
  it('is a quarter of the machine', () => {
    expect(clusterMemoryBytes(4096 * MIB)).toBe(1024 * MIB);
  });

  it('is the same for a machine that reports a little less', () => {
    expect(clusterMemoryBytes(4300 * MIB)).toBe(clusterMemoryBytes(4390 * MIB));
  });

  it('stays within its bounds', () => {
    expect(clusterMemoryBytes(512 * MIB)).toBe(LIMITS.postgresql.memoryBytesMin);
    expect(clusterMemoryBytes(1024 * 1024 * MIB)).toBe(LIMITS.postgresql.memoryBytesMax);
  });
});

describe('serverSettings', () => {
  const small = serverSettings(addresses, 256 * MIB);

  it('listens on the given addresses and on no socket file', () => {
    expect(small).toContain("listen_addresses = 'fd00::5,100.64.0.5'\n");
    expect(small).toContain("unix_socket_directories = ''\n");
  });

  it('leaves most of a small machine to its connections', () => {
    expect(small).toContain('shared_buffers = 32MB\n');
    expect(small).toContain(`max_connections = ${LIMITS.postgresql.connectionsMax}\n`);
  });

  it('grows with the memory it is given', () => {
    expect(serverSettings(addresses, 2048 * MIB)).toContain('shared_buffers = 256MB\n');
  });

  it('keeps durability as it comes', () => {
    expect(small).not.toMatch(/^(fsync|synchronous_commit|full_page_writes)/m);
  });
});

describe('accessRules', () => {
  const lines = accessRules(addresses).trim().split('\n');

  it('lets the superuser in from the gateway only', () => {
    const admin = lines.filter((line) => line.includes(' tandem '));
    expect(admin).toEqual([
      'host all tandem fd00::1/128 scram-sha-256',
      'host all tandem 100.64.0.1/32 scram-sha-256',
      'host all tandem all reject',
    ]);
  });

  it('lets a role into the database of its own name only', () => {
    expect(lines.slice(3)).toEqual([
      'host sameuser all fd00::/64 scram-sha-256',
      'host sameuser all 100.64.0.0/18 scram-sha-256',
    ]);
  });

  it('trusts nobody and opens no local or replication access', () => {
    expect(lines.join('\n')).not.toMatch(/trust|peer|local|replication/);
  });
});
