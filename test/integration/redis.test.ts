// The Redis of an app with a real server in a real sandbox, held by the real runner: its life, what
// survives which end, and what the app may not do to it.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../packages/platform/src/domain/limits.ts';
import { volumesDirectory } from '../../packages/platform/src/ports/paths.ts';
import { serviceKindContract } from '../../packages/platform/src/ports/service-kind.contract.ts';
import type { RedisCredentials } from '../../packages/platform/src/services/redis/index.ts';
import { RedisClient, type Reply } from '../support/redis-client.ts';
import { RedisServers } from '../support/redis-servers.ts';

const MIB = 1024 * 1024;
const PORT = 6379;

let servers: RedisServers;

beforeAll(async () => {
  servers = await RedisServers.create();
});
afterAll(async () => {
  await servers.close();
});

async function within<T>(
  credentials: RedisCredentials,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = await RedisClient.login(credentials);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

const call = (credentials: RedisCredentials, ...words: string[]): Promise<Reply> =>
  within(credentials, (client) => client.call(...words));

serviceKindContract('redis', () => ({
  service: servers.service,
  run: (attached) => servers.run(attached),
  use: async (credentials) => void (await call(credentials, 'PING')),
  write: async (credentials, value) => void (await call(credentials, 'SET', 'note', value)),
  read: async (credentials) => String((await call(credentials, 'GET', 'note')) ?? '') || undefined,
}));

describe('the server', () => {
  let credentials: RedisCredentials;
  const appId = 10;

  beforeAll(async () => {
    credentials = await servers.attach(appId);
  });

  const health = () => servers.service.health(credentials);

  it('has all that was acknowledged a second before kill -9, and the runner starts it again', async () => {
    await within(credentials, async (client) => {
      for (let n = 1; n <= 200; n += 1) await client.call('RPUSH', 'queue', `task ${n}`);
    });
    await sleep(1_500);
    process.kill(await servers.untilReady(appId), 'SIGKILL');
    while ((await health()).healthy) await sleep(10);
    await servers.service.waitUntilHealthy(AbortSignal.timeout(60_000), credentials);
    expect(await call(credentials, 'LLEN', 'queue')).toBe(200);
  });

  it('writes everything when it is stopped in order', async () => {
    const other = await servers.attach(11);
    await servers.untilReady(11);
    await call(other, 'SET', 'last', 'word');
    const attachments = [
      { appId, appName: 'app-10', credentials },
      { appId: 11, appName: 'app-11', credentials: other },
    ];
    await servers.run(attachments.slice(0, 1));
    expect((await servers.service.health(other)).healthy).toBe(false);
    await servers.run(attachments);
    await servers.service.waitUntilHealthy(AbortSignal.timeout(30_000), other);
    expect(await call(other, 'GET', 'last')).toBe('word');
  });

  it('keeps its files to itself', async () => {
    const volume = join(volumesDirectory(servers.fixture.paths), String(appId), 'redis');
    const [instance] = servers.service.instances([{ appId, appName: 'x', credentials }]);
    const { uid, mode } = await stat(volume);
    expect(uid).toBe(instance?.uid);
    expect(mode & 0o077).toBe(0);
    const file = await stat(join(volume, 'appendonlydir'));
    expect(file.mode & 0o077).toBe(0);
  });

  it('costs little while it idles', async () => {
    const pid = await servers.untilReady(appId);
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    expect(Number(/^Pss: +(\d+) kB$/m.exec(rollup)?.[1])).toBeLessThan(12 * 1024);
  });
});

describe('a full server', () => {
  const appId = 20;
  let credentials: RedisCredentials;

  beforeAll(async () => {
    credentials = await servers.attach(appId);
  });

  it('refuses writes, keeps what it has, and lives', { timeout: 120_000 }, async () => {
    const pid = await servers.untilReady(appId);
    await within(credentials, async (client) => {
      const value = Buffer.alloc(MIB, 'x');
      const fill = async () => {
        for (let n = 0; ; n += 1) await client.call('SET', `key ${n}`, value);
      };
      await expect(fill()).rejects.toThrow(/^OOM command not allowed/);
      expect(Number(await client.call('DBSIZE'))).toBeGreaterThan(40);
      expect(String(await client.call('GET', 'key 0'))).toHaveLength(MIB);
      await client.call('DEL', 'key 0', 'key 1', 'key 2', 'key 3', 'key 4');
      await client.call('SET', 'again', 'works');
    });
    expect(await servers.untilReady(appId)).toBe(pid);
  });

  it('is not killed by clients that make it buffer', { timeout: 120_000 }, async () => {
    const pid = await servers.untilReady(appId);
    const limit = LIMITS.redis.memoryBytes;
    await within(credentials, async (client) => {
      const huge = Buffer.alloc(limit, 'x');
      await expect(client.call('SET', 'huge', huge)).rejects.toThrow(/invalid bulk length|closed/);
    });
    // Many that ask for much and read nothing: those that hold most are cut off.
    const greedy = await Promise.all(
      Array.from({ length: 20 }, () => RedisClient.login(credentials)),
    );
    const keys = Array.from({ length: 30 }, (_, n) => `key ${n + 5}`);
    const asked = greedy.map((client) => {
      client.stopReading();
      return client.call('MGET', ...keys).catch(() => undefined);
    });
    await sleep(2_000);
    for (const client of greedy) client.close();
    await Promise.all(asked);
    expect((await servers.service.health(credentials)).healthy).toBe(true);
    expect(await servers.untilReady(appId)).toBe(pid);
  });
});

describe('a hostile app', () => {
  let own: RedisCredentials;
  let victim: RedisCredentials;

  beforeAll(async () => {
    own = await servers.attach(30);
    victim = await servers.attach(31);
  });

  it('gets nothing without the password, with a wrong one, or with its own at another server', async () => {
    const bare = await RedisClient.connect(own.ipv6);
    await expect(bare.call('PING')).rejects.toThrow(/^NOAUTH/);
    await expect(bare.call('AUTH', '')).rejects.toThrow(/^WRONGPASS/);
    await expect(bare.call('AUTH', 'tandem', own.password)).rejects.toThrow(/^WRONGPASS/);
    bare.close();
    await expect(RedisClient.login({ ...victim, password: own.password })).rejects.toThrow(
      /^WRONGPASS/,
    );
  });

  it.each([
    'CONFIG SET maxmemory 0',
    'CONFIG SET dir /tmp',
    'CONFIG REWRITE',
    'DEBUG SEGFAULT',
    'MODULE LOAD /tmp/evil.so',
    'SHUTDOWN NOSAVE',
    'REPLICAOF 10.0.0.1 6379',
    'SLAVEOF 10.0.0.1 6379',
    'FAILOVER',
    'MONITOR',
    'ACL SETUSER default nopass',
    'ACL LIST',
    'SAVE',
    'BGSAVE',
    'BGREWRITEAOF',
    'CLIENT PAUSE 100000',
    'MIGRATE 10.0.0.1 6379 key 0 1000',
  ])('may not say %s', async (line) => {
    await expect(call(own, ...line.split(' '))).rejects.toThrow(/^(NOPERM|ERR DEBUG|ERR MODULE)/);
  });

  it.each([
    'CONFIG GET maxmemory-policy',
    'INFO server',
    'CLIENT LIST',
    'CLIENT SETNAME rq:worker',
    'SELECT 15',
    'FLUSHDB',
    'PUBLISH channel message',
    'ACL WHOAMI',
  ])('may say %s, as its libraries do', async (line) => {
    await call(own, ...line.split(' '));
  });

  it('may run scripts and wait on queues', async () => {
    await within(own, async (client) => {
      await client.call('SET', 'n', '41');
      expect(await client.call('EVAL', 'return redis.call("INCR", KEYS[1])', '1', 'n')).toBe(42);
      await client.call('LPUSH', 'queue', 'task');
      expect(await client.call('BRPOP', 'queue', '1')).toEqual(['queue', 'task']);
    });
  });

  it('learns no secret from its settings', async () => {
    const settings = JSON.stringify(await call(own, 'CONFIG', 'GET', '*'));
    expect(settings).not.toContain(own.password);
  });

  it('reaches its own server by name, and no other', async () => {
    const { fixture, service } = servers;
    const { hostname, ipv6, port } = service.link(own);
    const ask = async (host: string, links: { ipv6: string; port: number }[]) =>
      await fixture.run(`timeout 2 redis-cli -h ${host} PING 2>&1`, {
        network: fixture.addresses(links),
        hosts: { [hostname]: ipv6 },
        env: { PATH: '/usr/bin:/bin', REDISCLI_AUTH: own.password },
      });
    const link = [{ ipv6, port }];
    expect(await ask(hostname, link)).toMatchObject({ code: 0, output: 'PONG\n' });
    expect((await ask(hostname, [])).output).not.toContain('PONG');
    for (const address of [victim.ipv6, victim.ipv4]) {
      const { code, output } = await ask(address, link);
      expect(code).not.toBe(0);
      // Not even a refusal of the password: no packet came through.
      expect(output).not.toMatch(/PONG|NOAUTH|WRONGPASS/);
    }
    expect(port).toBe(PORT);
  });
});
