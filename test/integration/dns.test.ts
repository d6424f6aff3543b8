// Names inside a sandbox: dnsmasq on the gateway, with upstreams that an instance cannot reach itself.
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dnsmasqCommand } from '../../packages/platform/src/adapters/instance-network/dnsmasq-command.ts';
import {
  gatewayIpv4,
  gatewayIpv6,
  PLATFORM_UID,
  platformUid,
} from '../../packages/platform/src/domain/installation.ts';
import { COMMAND_ENV, runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { eventually } from '../../packages/platform/src/ports/sandbox-under-test.contract.ts';
import { createSandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

const ANSWER = [203, 0, 113, 9];

describe('names inside a sandbox', () => {
  let fixture: SandboxFixture;
  const ends: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    fixture = await createSandboxFixture();
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  afterAll(async () => {
    await fixture.close();
  });

  /** Of this installation alone: another run of the suite may ask at the same moment. */
  const loopback = (host: number): string => `127.53.${fixture.installation.slot}.${host}`;

  /** An interface of our own with a link-local address. */
  async function link(): Promise<[name: string, address: string]> {
    const [name, address] = [`dns${fixture.installation.slot}`, 'fe80::53'];
    const ip = (...argv: string[]) => runCommand(['ip', ...argv], { timeoutMs: 10_000 });
    await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-peer`);
    ends.push(async () => void (await ip('link', 'del', name)));
    for (const end of [name, `${name}-peer`]) await ip('link', 'set', end, 'up');
    await ip('addr', 'add', `${address}/64`, 'dev', name, 'nodad');
    return [name, address];
  }

  /** Answers every question for an IPv4 address with ANSWER. */
  async function upstream(address: string, port = 53): Promise<void> {
    const socket: Socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', (question, peer) => {
      socket.send(reply(question), peer.port, peer.address);
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    ends.push(() => {
      socket.close();
    });
  }

  async function startDnsmasq(resolvConf: string): Promise<ChildProcess> {
    // Where an unprivileged process can read it, as /etc is.
    const directory = await mkdtemp(join(tmpdir(), 'tandem-dns-'));
    await chmod(directory, 0o755);
    ends.push(() => rm(directory, { recursive: true }));
    const resolvConfPath = join(directory, 'resolv.conf');
    await writeFile(resolvConfPath, resolvConf);
    const [file, ...args] = dnsmasqCommand(fixture.installation, { resolvConfPath });
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], env: COMMAND_ENV });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    ends.push(async () => {
      if (child.kill('SIGTERM')) await once(child, 'exit');
    });
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`dnsmasq ended: ${said}`);
      return said.includes('started');
    });
    return child;
  }

  async function resolve(name: string): Promise<string> {
    const script = `
import socket
try: print(sorted({a[4][0] for a in socket.getaddrinfo('${name}', 80, socket.AF_INET)}))
except socket.gaierror as e: print('unknown')
`;
    const { output } = await fixture.run('', {
      args: ['/usr/bin/python3', '-c', script],
      network: fixture.addresses(),
    });
    return output.trim();
  }

  it('come through a resolver on loopback, as systemd-resolved is', async () => {
    await upstream(loopback(1));
    const child = await startDnsmasq(`nameserver ${loopback(1)}\n`);
    expect(await resolve('shop.example')).toBe("['203.0.113.9']");
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    const uid = platformUid(fixture.installation.slot, PLATFORM_UID.dns);
    expect(status).toContain(`Uid:\t${uid}\t${uid}`);
    expect(status).toMatch(/CapEff:\t0{13}400/);
  });

  it('come through a resolver on the link', async () => {
    const [name, address] = await link();
    await upstream(`${address}%${name}`);
    await startDnsmasq(`nameserver ${address}%${name}\n`);
    expect(await resolve('shop.example')).toBe("['203.0.113.9']");
  });

  it('are not looked up without a dot, nor in the hosts file of the machine', async () => {
    await upstream(loopback(1));
    await startDnsmasq(`nameserver ${loopback(1)}\n`);
    expect(await resolve('intranet')).toBe('unknown');
    const own = (await readFile('/etc/hostname', 'utf8')).trim();
    expect(await resolve(own)).toBe('unknown');
  });

  it('are answered on the gateway only', async () => {
    await startDnsmasq(`nameserver ${loopback(1)}\n`);
    const { slot, ipv6Prefix } = fixture.installation;
    for (const address of [gatewayIpv4(slot), gatewayIpv6(ipv6Prefix)]) {
      await expect(upstream(address), address).rejects.toThrow(/EADDRINUSE/);
    }
    await upstream(loopback(2));
  });

  it('of linked services come from the hosts file', async () => {
    const { output } = await fixture.run('getent hosts db.internal', {
      hosts: { 'db.internal': 'fd00:1:2:3::9' },
    });
    expect(output).toMatch(/^fd00:1:2:3::9\s+db\.internal/);
  });
});

/** RFC 1035: the question again, with one A record when it asks for one. */
function reply(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const asksForIpv4 = question.readUInt16BE(end - 4) === 1;
  const head = Buffer.from(question.subarray(0, end));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(asksForIpv4 ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ANSWER];
  return asksForIpv4 ? Buffer.concat([head, Buffer.from(record)]) : head;
}
