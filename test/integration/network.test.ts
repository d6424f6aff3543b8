// The network of instances: who reaches whom. Every refusal stands beside a connection of the same
// kind that succeeds, so that it is the rule that refuses and not a broken path.
import { createServer, connect, type Server } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  gatewayIpv4,
  gatewayIpv6,
  nftTable,
  PLATFORM_UID,
  platformUid,
} from '../../packages/platform/src/domain/installation.ts';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';
import { eventually } from '../../packages/platform/src/ports/sandbox-under-test.contract.ts';
import type { SandboxNetwork } from '../../packages/platform/src/ports/sandbox.ts';
import { createSandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';
import { createTestInternet, type TestInternet } from '../support/test-internet.ts';

const timeoutMs = 10_000;
const PORT = 8000;

/** Prints what the other end says, or the class of the error. */
const ASK = `
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.7) as s:
        s.settimeout(0.7)
        print('answer', s.recv(100).decode())
except OSError as e:
    print('refused', type(e).__name__)
`;
const LISTEN = `
import socket
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(('::', ${PORT})); s.listen(); print('listening', flush=True)
while True:
    c, peer = s.accept(); c.sendall(b'instance'); c.close()
`;

describe('instance network', () => {
  let fixture: SandboxFixture;
  let internet: TestInternet;
  beforeAll(async () => {
    fixture = await createSandboxFixture();
    internet = await createTestInternet();
  });
  afterAll(async () => {
    await internet.close();
    await fixture.close();
  });

  async function attach(network: SandboxNetwork): Promise<string> {
    const path = await fixture.network.createNamespace(network);
    await fixture.network.connect(network);
    return path;
  }

  const python = (script: string, ...args: (string | number)[]) => ({
    args: ['/usr/bin/python3', '-c', script, ...args.map(String)] as [string, ...string[]],
  });

  async function askFromInstance(
    address: string,
    port: number,
    network: SandboxNetwork = fixture.addresses(),
  ): Promise<string> {
    const { output } = await fixture.run('', { ...python(ASK, address, port), network });
    return output.trim();
  }

  async function startListener(network: SandboxNetwork = fixture.addresses()) {
    const spec = fixture.spec('', { ...python(LISTEN), network });
    const process = await fixture.sandbox.start(spec);
    await eventually(async () => (await fixture.readLog(spec)).includes('listening'));
    return { process, network };
  }

  async function askFromHost(uid: number, address: string): Promise<string> {
    const user = ['setpriv', '--reuid', String(uid), '--clear-groups', '--'];
    const argv = [...user, '/usr/bin/python3', '-c', ASK, address, String(PORT)];
    return (await runToExit(argv as [string], { timeoutMs })).stdout.trim();
  }

  describe('to the internet', () => {
    it('goes out over both families, under an address of the host', async () => {
      const { port, host } = internet;
      expect(await askFromInstance(internet.publicIpv4, port)).toBe(`answer ::ffff:${host.ipv4}`);
      expect(await askFromInstance(internet.publicIpv6, port)).toBe(`answer ${host.ipv6}`);
    });

    it('never reaches private ranges, link-local, metadata, or NAT64 to them', async () => {
      const { port, privateAddresses } = internet;
      for (const address of privateAddresses) {
        const host = await runToExit(['/usr/bin/python3', '-c', ASK, address, String(port)], {
          timeoutMs,
        });
        expect(host.stdout, `the host to ${address}`).toContain('answer');
        expect(await askFromInstance(address, port), address).toContain('refused');
      }
    });

    it('does not let anybody from there reach an instance', async () => {
      const { network, process } = await startListener();
      for (const address of [network.ipv4, network.ipv6]) {
        const { stdout } = await internet.run([
          '/usr/bin/python3',
          '-c',
          ASK,
          address,
          String(PORT),
        ]);
        expect(stdout).toContain('refused');
      }
      await process.remove();
    });
  });

  describe('to the host', () => {
    let server: Server;
    let port: number;
    beforeAll(async () => {
      server = createServer((socket) => socket.end('host')).listen(0, '::');
      await once(server, 'listening');
      port = (server.address() as { port: number }).port;
    });
    afterAll(() => {
      server.close();
    });

    it('reaches no address of it', async () => {
      const { slot, ipv6Prefix } = fixture.installation;
      const addresses = [
        ...[gatewayIpv4(slot), gatewayIpv6(ipv6Prefix)],
        ...[internet.host.ipv4, internet.host.ipv6],
      ];
      for (const address of addresses) {
        const socket = connect(port, address);
        expect(String((await once(socket, 'data'))[0]), `the host to ${address}`).toBe('host');
        expect(await askFromInstance(address, port), address).toContain('refused');
      }
    });

    it('reaches a linked service on the gateway', async () => {
      const ipv6 = gatewayIpv6(fixture.installation.ipv6Prefix);
      const linked = fixture.addresses([{ ipv6, port }]);
      expect(await askFromInstance(ipv6, port, linked)).toBe('answer host');
      expect(await askFromInstance(ipv6, port)).toContain('refused');
    });
  });

  describe('from the host', () => {
    it('lets in root, balancer and static server, and no other user', async () => {
      const { network, process } = await startListener();
      const { slot } = fixture.installation;
      const allowed = [0, platformUid(slot, PLATFORM_UID.balancer)];
      allowed.push(platformUid(slot, PLATFORM_UID.staticServer));
      for (const address of [network.ipv4, network.ipv6]) {
        for (const uid of allowed) expect(await askFromHost(uid, address)).toBe('answer instance');
        for (const uid of [65_534, platformUid(slot, PLATFORM_UID.dns)]) {
          expect(await askFromHost(uid, address), `${uid} to ${address}`).toContain('refused');
        }
      }
      await process.remove();
    });
  });

  describe('between instances', () => {
    it('is closed but for links, which have one direction and one port', async () => {
      const { network: service, process } = await startListener();
      expect(await askFromInstance(service.ipv4, PORT)).toContain('refused');
      expect(await askFromInstance(service.ipv6, PORT)).toContain('refused');

      const linked = fixture.addresses([{ ipv6: service.ipv6, port: PORT }]);
      expect(await askFromInstance(service.ipv6, PORT, linked)).toBe('answer instance');
      expect(await askFromInstance(service.ipv4, PORT, linked)).toContain('refused');

      const otherPort = fixture.addresses([{ ipv6: service.ipv6, port: PORT + 1 }]);
      expect(await askFromInstance(service.ipv6, PORT, otherPort)).toContain('refused');
      await process.remove();
    });

    it('forgets the links of an instance with it', async () => {
      const table = nftTable(fixture.installation);
      const links = async (): Promise<string> =>
        (await runCommand(['nft', 'list', 'set', 'inet', table, 'links'], { timeoutMs })).stdout;
      const network = fixture.addresses([
        { ipv6: `${fixture.installation.ipv6Prefix}::1`, port: 9 },
      ]);
      // As nft prints it.
      const element = `${network.ipv6.replace(/:0+(?=[0-9a-f])/g, ':').replace(':0:0:0:', '::')} . `;
      const process = await fixture.sandbox.start(fixture.spec('sleep 60', { network }));
      expect(await links()).toContain(element);
      await fixture.network.ensureNetwork();
      expect(await links(), 'after a reload of the rules').toContain(element);
      await process.remove();
      expect(await links()).not.toContain(element);
    });

    it('does not let one speak under the address of another', async () => {
      const [own, other] = [fixture.addresses(), fixture.addresses()];
      const [first, second] = await Promise.all(
        [own, other].map((network) => fixture.sandbox.start(fixture.spec('sleep 60', { network }))),
      );
      const namespace = (await attach(fixture.addresses())).split('/').at(-1) ?? '';
      const script = `
import socket, sys
s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1); s.bind((sys.argv[1], 0)); s.sendto(b'x', (sys.argv[2], int(sys.argv[3])))
try: print('answer', s.recv(100).decode())
except OSError as e: print('refused')
`;
      // As root of the namespace, which no app is: the firewall alone must stop it.
      const send = async (from: string, to: string): Promise<string> => {
        const inside = [
          'ip',
          'netns',
          'exec',
          namespace,
          '/usr/bin/python3',
          '-c',
          script,
        ] as const;
        const argv = [...inside, from, to, String(internet.port)] as const;
        return (await runToExit([...argv], { timeoutMs })).stdout.trim();
      };
      const family = [
        [own.ipv4, other.ipv4, internet.publicIpv4],
        [own.ipv6, other.ipv6, internet.publicIpv6],
      ] as const;
      for (const [, taken, target] of family) {
        const length = taken.includes(':') ? '128' : '32';
        await runCommand(
          ['ip', '-n', namespace, 'addr', 'add', `${taken}/${length}`, 'dev', 'eth0'],
          { timeoutMs },
        );
        await runToExit(['sleep', taken.includes(':') ? '2' : '0'], { timeoutMs });
        expect(await send(taken, target), taken).toBe('refused');
      }
      const mine = (await runCommand(['ip', '-n', namespace, '-o', 'addr'], { timeoutMs })).stdout;
      const genuine = /inet (100\.\S+)\/32/.exec(mine)?.[1] ?? '';
      expect(genuine).not.toBe(other.ipv4);
      expect(await send(genuine, internet.publicIpv4)).toContain('answer');
      await Promise.all([first?.remove(), second?.remove()]);
      await fixture.network.sweep(new Set());
    });
  });

  describe('an address that no instance has', () => {
    it('leads nowhere, and says so at once', async () => {
      const { ipv4, ipv6 } = fixture.addresses();
      for (const address of [ipv4, ipv6]) {
        const socket = connect(PORT, address);
        await expect(once(socket, 'connect'), address).rejects.toMatchObject({
          code: 'EHOSTUNREACH',
        });
      }
    });
  });

  describe('life of a network', () => {
    it('is made and removed again and again, in any state', async () => {
      const network = fixture.addresses();
      const path = await attach(network);
      expect(path).toMatch(/^\/run\/netns\/td[0-9a-f]{2}-[0-9a-z]+$/);
      await expect(attach(network)).rejects.toMatchObject({
        code: 'NETWORK_FAILED',
      });
      await fixture.network.detach(network);
      await fixture.network.detach(network);
      await attach(network);
      await runCommand(['ip', 'link', 'del', path.split('/').at(-1) ?? ''], { timeoutMs });
      await fixture.network.detach(network);
    });

    it('leaves nothing of a sandbox whose network could not be made', async () => {
      const network = fixture.addresses();
      await attach(network);
      const spec = fixture.spec('exit 0', { network });
      await expect(fixture.sandbox.start(spec)).rejects.toMatchObject({ code: 'NETWORK_FAILED' });
      expect(await fixture.sandbox.sweep(() => false)).toEqual([]);
    });

    it('sweeps what no address in use explains', async () => {
      const [used, unused] = [fixture.addresses(), fixture.addresses()];
      await attach(used);
      const path = await attach(unused);
      const swept = await fixture.network.sweep(new Set([used.ipv6]));
      expect(swept).toEqual([path.split('/').at(-1)]);
      await fixture.network.detach(used);
    });

    it('refuses an address of another installation', async () => {
      const network = { ipv6: 'fd00:1:2:3:0:0:0:5', ipv4: '10.0.0.1', links: [] };
      await expect(attach(network)).rejects.toMatchObject({
        code: 'NETWORK_FAILED',
      });
    });
  });
});
