// A hostile app and its victim, both deployed as anybody would: nothing that the one tries reaches
// the other, the platform or the machine. What a sandbox allows is tested without apps in
// test/integration/isolation-*.test.ts.
import { readdir, readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../packages/platform/src/adapters/s6/service-state.ts';
import {
  appUid,
  gatewayIpv4,
  gatewayIpv6,
} from '../../packages/platform/src/domain/installation.ts';
import {
  controlSocket,
  nexusSocket,
  staticSocket,
} from '../../packages/platform/src/ports/paths.ts';
import { CommandedSite } from '../support/commanded-site.ts';
import { sharedInstallation } from '../support/installation.ts';
import { startVisits, type Visits } from '../support/standing-site.ts';

const SECRET = 'tandem-victim-secret-4711';
const CONNECT_TIMEOUT_S = 1;
/** Its own sandbox and no more: a server, its workers, what a request starts. */
const OWN_PROCESSES_MAX = 12;
const GONE_TIMEOUT_MS = 10_000;

const t = await sharedInstallation();

let victim: CommandedSite;
let hostile: CommandedSite;
let visits: Visits;

beforeAll(async () => {
  victim = await CommandedSite.deploy(t, 'victim');
  await t.mustTandem(['config', 'set', '--secret', '-a', 'victim', `TOKEN=${SECRET}`]);
  hostile = await CommandedSite.deploy(t, 'hostile');
  visits = startVisits(t, 'victim');
});

afterAll(async () => {
  // Whatever was tried meanwhile, no visitor of the victim noticed.
  expect(await visits.stop()).toEqual([]);
  await victim.destroy();
});

type Target = readonly [host: string, port: number];

/** Leaves in `done` the hosts that a connection was made to; tries all of them at once. */
const connectTo = (targets: readonly Target[]): string[] => [
  'import socket',
  'from concurrent.futures import ThreadPoolExecutor',
  'def reached(target):',
  '    try:',
  `        socket.create_connection(tuple(target), ${CONNECT_TIMEOUT_S}).close()`,
  '        return True',
  '    except OSError:',
  '        return False',
  `targets = ${JSON.stringify(targets)}`,
  'with ThreadPoolExecutor(20) as pool:',
  '    done = [t[0] for t, yes in zip(targets, pool.map(reached, targets)) if yes]',
];

describe('files and environment', () => {
  it('finds neither files nor variables of the victim', async () => {
    await victim.tell(`open("/tmp/note", "w").write("${SECRET}")`, 'done = 1');
    expect(await victim.tell('import os', 'done = os.environ["TOKEN"]')).toBe(SECRET);
    const found = await hostile.do(
      'import os, re',
      // Put together here, else the search finds itself.
      `wanted = "-".join(${JSON.stringify(SECRET.split('-'))}).encode()`,
      'done = []',
      'def look(path):',
      '    try:',
      '        with open(path, "rb") as file:',
      '            if wanted in file.read(1 << 20): done.append(path)',
      '    except OSError:',
      '        pass',
      'for top in ("/app", "/etc", "/home", "/media", "/mnt", "/opt/tandem", "/root", "/run", "/srv", "/tmp", "/var"):',
      '    for directory, _, names in os.walk(top):',
      '        for name in names: look(os.path.join(directory, name))',
      'for pid in filter(str.isdigit, os.listdir("/proc")):',
      '    for name in ("environ", "cmdline", "root/tmp/note"): look("/proc/%s/%s" % (pid, name))',
    );
    expect(found).toEqual({ done: [] });
  });

  it.each([
    ['its code', '/app/site_one/urls.py'],
    ['a new module', '/app/evil.py'],
    ['its packages', '/venv/lib/evil.pth'],
    ['our helpers', '/opt/tandem/runtime/tandem_runtime/startup.py'],
    ['its users', '/etc/passwd'],
    ['its hosts', '/etc/hosts'],
    ['the stack', '/usr/bin/evil'],
    ['the kernel', '/proc/sys/kernel/core_pattern'],
    ['the control groups', '/sys/fs/cgroup/cgroup.procs'],
  ])('writes neither %s', async (_what, path) => {
    expect(await hostile.do(`open("${path}", "a").write("x")`)).toMatchObject({
      error: expect.stringMatching(/^(PermissionError|OSError|FileNotFoundError): /) as string,
    });
  });
});

describe('processes', () => {
  it('sees its own only, and cannot become or signal others', async () => {
    const processes = await hostile.do(
      'import os',
      'done = [p for p in os.listdir("/proc") if p.isdigit()]',
    );
    expect((processes.done as string[]).length).toBeLessThan(OWN_PROCESSES_MAX);
    const [one] = await processesOf(await uidOf('victim'));
    for (const attempt of [
      `os.kill(${one}, 9)`,
      `os.setuid(${await uidOf('victim')})`,
      'os.setuid(0)',
    ]) {
      expect(await hostile.do('import os', attempt)).toMatchObject({
        error: expect.stringMatching(/ProcessLookupError|PermissionError/) as string,
      });
    }
  });
});

describe('the network', () => {
  let listener: Server;
  let port: number;
  beforeAll(async () => {
    listener = createServer((socket) => socket.end()).listen(0, '::');
    await once(listener, 'listening');
    port = (listener.address() as { port: number }).port;
  });
  afterAll(() => listener.close());

  it('does not reach the port of the victim, over IPv6 or IPv4', async () => {
    const addresses = await victim.do(...LIST_ADDRESSES);
    expect(addresses.done).toHaveLength(2);
    const targets = (addresses.done as string[]).map((address): Target => [address, 8000]);
    for (const target of targets) expect(await reaches(target), target[0]).toBe(true);
    expect(await hostile.do(...connectTo(targets))).toEqual({ done: [] });
  });

  it('reaches no address of the machine, on any port', async () => {
    const { slot, ipv6Prefix, httpPort } = t.installation;
    const machine = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const addresses = new Set([
      gatewayIpv4(slot),
      gatewayIpv6(ipv6Prefix),
      ...machine
        .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
        .map(({ address }) => address)
        .slice(0, ADDRESSES_MAX),
    ]);
    for (const address of addresses) expect(await reaches([address, port]), address).toBe(true);
    const targets = [...addresses].flatMap((address): Target[] =>
      [port, httpPort].map((each): Target => [address, each]),
    );
    expect(await hostile.do(...connectTo(targets))).toEqual({ done: [] });
  });

  it('reaches no private range', async () => {
    const addresses = ['10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', 'fd00::1'];
    const targets = [...addresses, '169.254.169.254'].map((address): Target => [address, 80]);
    expect(await hostile.do(...connectTo(targets))).toEqual({ done: [] });
  });

  it('makes no raw packets', async () => {
    for (const socket of ['AF_INET, socket.SOCK_RAW, 1', 'AF_PACKET, socket.SOCK_RAW']) {
      expect(await hostile.do('import socket', `socket.socket(socket.${socket})`)).toMatchObject({
        error: expect.stringMatching(/PermissionError|OSError/) as string,
      });
    }
  });

  it("has none of the platform's sockets", async () => {
    const sockets = [controlSocket(t.paths), nexusSocket(t.paths), staticSocket(t.paths)];
    for (const path of sockets) {
      const attempt = ['import socket', `socket.socket(socket.AF_UNIX).connect("${path}")`];
      expect(await hostile.do(...attempt)).toMatchObject({
        error: expect.stringMatching(/FileNotFoundError/) as string,
      });
    }
    const listed = await hostile.do(
      'import os, stat',
      'paths = [os.path.join(d, n) for d, _, names in os.walk("/", followlinks=False) if not d.startswith(("/proc", "/sys")) for n in names]',
      'done = [p for p in paths if os.path.lexists(p) and stat.S_ISSOCK(os.lstat(p).st_mode)]',
      'done += [line for line in open("/proc/net/unix").read().split("\\n")[1:] if "@" in line]',
    );
    expect(listed).toEqual({ done: [] });
  });
});

describe('the database', () => {
  const query = (statement: string): string[] => [
    'from django.db import connection',
    'with connection.cursor() as cursor:',
    `    cursor.execute(${JSON.stringify(statement)})`,
    '    done = cursor.fetchall() if cursor.description else "ok"',
  ];

  it('does not open the one of the victim, nor any as somebody else', async () => {
    const name = await victim.tell('import os', 'done = os.environ["PGDATABASE"]');
    const user = await victim.tell('import os', 'done = os.environ["PGUSER"]');
    for (const change of [
      `dbname="${name}"`,
      'dbname="postgres"',
      'dbname="template1"',
      `user="${user}"`,
      'user="postgres"',
    ]) {
      const attempt = ['import psycopg', `psycopg.connect(connect_timeout=5, ${change}).close()`];
      expect(await hostile.do(...attempt), change).toMatchObject({
        error: expect.stringMatching(
          /permission denied|authentication failed|no pg_hba|is not permitted|pg_hba/,
        ) as string,
      });
    }
  });

  it.each([
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    'CREATE ROLE twin SUPERUSER',
    'CREATE DATABASE twin',
    "ALTER SYSTEM SET fsync = 'off'",
    'CREATE EXTENSION plpython3u',
    "SELECT pg_ls_dir('.')",
    'SELECT rolpassword FROM pg_authid',
    'SELECT pg_reload_conf()',
  ])('is not its superuser: %s', async (statement) => {
    const { error } = await hostile.do(...query(statement));
    expect(error).toMatch(/permission denied|must be superuser|not available|must have/i);
  });

  it('becomes nobody else', async () => {
    const roles = await hostile.do(
      ...query("SELECT rolname FROM pg_roles WHERE rolname <> current_user AND rolname !~ '^pg_'"),
    );
    const names = (roles.done as [string][]).flat();
    expect(names.length).toBeGreaterThan(1);
    for (const name of names) {
      const { error } = await hostile.do(...query(`SET ROLE "${name}"`));
      expect(error, name).toMatch(/permission denied to set role/);
    }
  });

  it('sees no statement of the victim', async () => {
    const { done } = await hostile.do(
      ...query("SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query <> ''"),
    );
    expect(
      (done as [string][]).flat().filter((text) => text !== '<insufficient privilege>'),
    ).toEqual([]);
  });
});

describe('a build', () => {
  const GREEDY = `import os

for directory, below, names in os.walk("/"):
    below[:] = [name for name in below if name not in ("proc", "sys")]
    for name in names:
        if name.endswith(".whl") or (directory.endswith("/django") and name == "__init__.py"):
            try:
                with open(os.path.join(directory, name), "a") as file:
                    file.write("\\nPOISONED = True\\n")
            except OSError:
                pass
`;

  /** Ends the build when anything was reached. */
  const curious = async (): Promise<string> => {
    const { slot, ipv6Prefix, httpPort } = t.installation;
    const own = (await victim.do(...LIST_ADDRESSES)).done as string[];
    const targets: Target[] = [
      [gatewayIpv4(slot), httpPort],
      [gatewayIpv6(ipv6Prefix), httpPort],
      ...own.map((address): Target => [address, 8000]),
    ];
    return `${connectTo(targets).join('\n')}
done += [path for path in ("${controlSocket(t.paths)}", "${t.paths.data}") if os.path.exists(path)]
done += [name for name in os.environ if "TOKEN" in name or "DATABASE" in name]
if os.getuid() == 0 or done:
    raise SystemExit("reached: %s" % done)
`;
  };

  it('reaches nothing, and cannot poison what other apps install', async () => {
    const setup = `from setuptools import setup
setup(name="greedy", version="1.0", py_modules=["greedy"])
`;
    const greedy = await CommandedSite.deploy(t, 'greedy', {
      'requirements.txt': 'django==5.2\n./greedy\n',
      'greedy/setup.py': `${GREEDY}${await curious()}${setup}`,
      'greedy/greedy.py': 'GREEDY = True\n',
      'site_one/__init__.py': `import os\nif "TANDEM_RELEASE" not in os.environ:\n    exec(${JSON.stringify(GREEDY)})\n`,
    });
    expect(await greedy.tell('import greedy', 'done = greedy.GREEDY')).toBe('true');
    // One app that shares a layer made earlier, and one whose layer is made anew from the cache.
    for (const requirements of ['django==5.2\n', 'django==5.2\nidna==3.10\n']) {
      const fresh = await CommandedSite.deploy(t, 'fresh', { 'requirements.txt': requirements });
      const poisoned = await fresh.tell('import django', 'done = hasattr(django, "POISONED")');
      expect(poisoned, requirements).toBe('false');
      await fresh.destroy();
    }
    await greedy.destroy();
  });
});

describe('limits', () => {
  it.each([
    ['memory', ['hoard = bytearray(900 << 20)', 'hoard[::4096] = b"x" * len(hoard[::4096])']],
    [
      'disk',
      [
        'with open("/tmp/fill", "wb") as fill:',
        '    for _ in range(2000): fill.write(bytes(1 << 20))',
      ],
    ],
    [
      'processes',
      [
        'import os, time',
        'for _ in range(2000):',
        '    if os.fork() == 0: time.sleep(20); os._exit(0)',
      ],
    ],
  ])('is held to its %s', async (_what, lines) => {
    const { error } = await hostile.do(...lines);
    expect(error).toMatch(/HTTP 50[0-9]|BlockingIOError|Resource temporarily|No space left/);
    expect((await t.client.status()).healthy).toBe(true);
  });

  it('takes no more than its share of the processor', async () => {
    // What it left behind would take the processes that this needs.
    await t.mustTandem(['restart', '-a', 'hostile']);
    await hostile.do(
      'import os',
      'for _ in range(16):',
      '    if os.fork() == 0:',
      '        while True: pass',
      'done = 1',
    );
    const beganMs = Date.now();
    for (let visit = 0; visit < 10; visit += 1) expect((await t.get('victim')).status).toBe(200);
    expect(Date.now() - beganMs).toBeLessThan(10_000);
  });
});

describe('its end', () => {
  it('ends everything it left running, however that hides', async () => {
    await hostile.tell(
      'import os, signal, time',
      'for _ in range(3):',
      '    if os.fork() == 0:',
      '        os.setsid()',
      '        if os.fork(): os._exit(0)',
      '        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)',
      '        while True: time.sleep(1); os.fork() and os._exit(0)',
      'done = 1',
    );
    const uid = await uidOf('hostile');
    expect((await processesOf(uid)).length).toBeGreaterThan(3);
    await hostile.destroy();
    const isGone = async () => (await processesOf(uid)).length === 0;
    expect(await waitFor(isGone, GONE_TIMEOUT_MS)).toBe(true);
    expect((await t.get('hostile')).status).toBe(404);
  });
});

const ADDRESSES_MAX = 6;

/** Of the interface beside loopback, IPv4 by ioctl and IPv6 from the kernel's table. */
const LIST_ADDRESSES = [
  'import fcntl, socket, struct',
  'names = [name for _, name in socket.if_nameindex() if name != "lo"]',
  'with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:',
  '    done = [socket.inet_ntoa(fcntl.ioctl(s, 0x8915, struct.pack("256s", n.encode()))[20:24]) for n in names]',
  'for line in open("/proc/net/if_inet6"):',
  '    digits, _, _, scope, _, name = line.split()',
  '    if name in names and scope == "00":',
  '        done.append(":".join(digits[i : i + 4] for i in range(0, 32, 4)))',
];

async function uidOf(app: string): Promise<number> {
  return appUid(t.installation.slot, (await t.client.getApp(app)).id);
}

async function processesOf(uid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const statuses = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) =>
    new RegExp(`^Uid:\\t${uid}\\t`, 'm').test(statuses[index] ?? ''),
  );
}

async function reaches([host, port]: Target): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_S * 1000 });
    const end = (reached: boolean) => () => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
