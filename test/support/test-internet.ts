// A stand-in for everything beyond this machine: a network namespace behind a veth pair, with public
// and private addresses, where listeners answer with the address they were reached from.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { runCommand, runToExit } from '../../packages/platform/src/lib/run-command.ts';

const TIMEOUT_MS = 10_000;

export interface TestInternet {
  readonly namespace: string;
  /** Where the machine is reached from there. */
  readonly host: { readonly ipv4: string; readonly ipv6: string };
  readonly publicIpv4: string;
  readonly publicIpv6: string;
  readonly privateAddresses: readonly string[];
  /** TCP and UDP; answers with the address of whoever asks. */
  readonly port: number;
  /** Runs a command there, as root. */
  run(argv: readonly string[]): Promise<{ exitCode: number; stdout: string }>;
  close(): Promise<void>;
}

const SERVER = `
import selectors, socket, sys
port = int(sys.argv[1])
chosen = selectors.DefaultSelector()
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.bind(('::', port))
    if kind == socket.SOCK_STREAM: s.listen(64)
    chosen.register(s, selectors.EVENT_READ, kind)
print('ready', flush=True)
while True:
    for key, _ in chosen.select():
        if key.data == socket.SOCK_STREAM:
            c, peer = key.fileobj.accept(); c.sendall(peer[0].encode()); c.close()
        else:
            _, peer = key.fileobj.recvfrom(2048)
            print('udp', peer[0], flush=True)
            try: key.fileobj.sendto(peer[0].encode(), peer)
            except OSError: pass
`;

export async function createTestInternet(): Promise<TestInternet> {
  const id = randomBytes(3).toString('hex');
  const namespace = `tinet-${id}`;
  const outside = `ti${id}`;
  // Documentation ranges count as public; a random /30 of 198.51.100.0/24, so that two fit at once.
  const net = randomInt(0, 63) * 4;
  const groups = `${randomInt(1, 0xffff).toString(16)}:${randomInt(1, 0xffff).toString(16)}`;
  const host = { ipv4: `198.51.100.${net + 1}`, ipv6: `2001:db8:${groups}::1` };
  const [publicIpv4, publicIpv6] = [`198.51.100.${net + 2}`, `2001:db8:${groups}::2`];
  const third = randomInt(1, 254);
  const privateAddresses = [
    `10.213.${third}.7`,
    `192.168.${third}.7`,
    `172.29.${third}.7`,
    `169.254.${third}.254`,
    `fd99:${groups}::7`,
    `64:ff9b::${(0x0a00 + third).toString(16)}:7`,
  ];
  const port = randomInt(20_000, 30_000);
  await ip([
    `netns add ${namespace}`,
    `link add ${outside} type veth peer name eth0 netns ${namespace}`,
    `link set ${outside} up`,
    `addr add ${host.ipv4}/30 dev ${outside}`,
    `addr add ${host.ipv6}/64 dev ${outside} nodad`,
  ]);
  await ip(
    [
      'link set lo up',
      'link set eth0 up',
      `addr add ${publicIpv4}/30 dev eth0`,
      `addr add ${publicIpv6}/64 dev eth0 nodad`,
      ...privateAddresses.map((address) => `addr add ${prefixed(address)} dev lo`),
      `route add default via ${host.ipv4}`,
      `route add default via ${host.ipv6}`,
    ],
    namespace,
  );
  await ip(
    privateAddresses.map((address) => {
      const gateway = address.includes(':') ? publicIpv6 : publicIpv4;
      return `route add ${prefixed(address)} via ${gateway} dev ${outside}`;
    }),
  );
  const server = await serve(namespace, port);
  return {
    namespace,
    host,
    publicIpv4,
    publicIpv6,
    privateAddresses,
    port,
    run: (argv) => runToExit(inside(namespace, argv), { timeoutMs: TIMEOUT_MS }),
    close: async () => {
      server.kill('SIGKILL');
      await runToExit(['ip', 'link', 'del', outside], { timeoutMs: TIMEOUT_MS });
      await runToExit(['ip', 'netns', 'del', namespace], { timeoutMs: TIMEOUT_MS });
    },
  };
}

const prefixed = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;

/** Not `ip netns exec`: that also makes a mount namespace, which pins what others unmount. */
function inside(namespace: string, argv: readonly string[]): [string, ...string[]] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...argv];
}

async function serve(namespace: string, port: number): Promise<ChildProcess> {
  const python = ['/usr/bin/python3', '-c', SERVER, String(port)];
  const [program, ...args] = inside(namespace, python);
  const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  server.stdout.resume();
  return server;
}

async function ip(commands: readonly string[], namespace?: string): Promise<void> {
  const inside = namespace === undefined ? [] : ['-netns', namespace];
  const input = `${commands.join('\n')}\n`;
  await runCommand(['ip', ...inside, '-batch', '-'], { timeoutMs: TIMEOUT_MS, input });
}
