import { describe, expect, it } from 'vitest';
import type { SandboxSpec } from '../../ports/sandbox.ts';
import { lowerDirectories } from './overlay.ts';
import { ociConfig, type OciOptions } from './oci-config.ts';
import { etcFiles } from './root-files.ts';

const spec: SandboxSpec = {
  id: 'i1',
  layers: [],
  args: ['gunicorn', 'app'],
  env: { KEY: 'a=b' },
  cwd: '/app',
  uid: 1234,
  userName: 'shop',
  hostname: 'web-1',
  hosts: { 'db.internal': 'fd12::9' },
  mounts: [{ source: '/var/lib/x', target: '/data', readOnly: false }],
  limits: { memoryBytes: 512, pids: 10, openFiles: 99, tmpBytes: 1, cpuCores: 0.5, cpuWeight: 20 },
  logPath: '/log',
};
const options: OciOptions = {
  rootPath: '/root',
  cgroupPath: '/tandem-x/i1',
  scratchPath: '/scratch',
  networkNamespace: '/run/netns/td00-2',
  initPath: '/usr/bin/tini-static',
  seccomp: {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: [],
    syscalls: [],
  },
  swapLimit: true,
};

describe('ociConfig', () => {
  const config = ociConfig(spec, options);

  it('leaves no capability and no way to new privileges', () => {
    expect(config).toMatchObject({
      process: {
        noNewPrivileges: true,
        user: { uid: 1234, gid: 1234, additionalGids: [] },
        capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      },
      root: { readonly: true },
    });
  });

  it('runs the command below an init, with exactly its environment and a home', () => {
    expect(config).toMatchObject({
      process: {
        args: ['/run/tandem/init', '--', 'gunicorn', 'app'],
        env: ['HOME=/home/app', 'KEY=a=b'],
      },
    });
  });

  it('has every namespace of its own, the network by its path', () => {
    const { linux } = config as { linux: { namespaces: { type: string; path?: string }[] } };
    const types = linux.namespaces.map(({ type }) => type).sort();
    expect(types).toEqual(['cgroup', 'ipc', 'mount', 'network', 'pid', 'uts']);
    expect(linux.namespaces).toContainEqual({ type: 'network', path: '/run/netns/td00-2' });
  });

  it('limits memory together with swap, processes and processor', () => {
    expect(config).toMatchObject({
      linux: {
        resources: {
          memory: { limit: 512, swap: 512 },
          pids: { limit: 10 },
          cpu: { shares: 205, quota: 50_000, period: 100_000 },
        },
      },
    });
    expect(ociConfig(spec, { ...options, swapLimit: false })).toMatchObject({
      linux: { resources: { memory: { limit: 512 } } },
    });
  });

  it('mounts everything nosuid', () => {
    const { mounts } = config as { mounts: { destination: string; options: string[] }[] };
    for (const mount of mounts) expect(mount.options, mount.destination).toContain('nosuid');
  });
});

describe('etcFiles', () => {
  it('names user, services and servers', () => {
    const files = etcFiles(spec, ['fd12::1', '100.64.0.1']);
    expect(files['/etc/passwd']).toContain('shop:x:1234:1234::/home/app:/bin/sh\n');
    expect(files['/etc/hosts']).toContain('fd12::9 db.internal\n');
    expect(files['/etc/resolv.conf']).toContain('nameserver fd12::1\nnameserver 100.64.0.1\n');
  });
});

describe('lowerDirectories', () => {
  it('names layers side by side by their last part', () => {
    const { cwd, lowerdir } = lowerDirectories(['/run/s/1/root', '/run/layers/b', '/run/layers/a']);
    expect(cwd).toBe('/run/layers');
    expect(lowerdir).toBe('/run/s/1/root:b:a');
  });

  it.each(['/a:b', '/a,b', '/a b', '/a\\b'])(
    'refuses %s, which the option cannot carry',
    (path) => {
      expect(() => lowerDirectories([path, '/ok'])).toThrow(/cannot name/);
    },
  );
});
