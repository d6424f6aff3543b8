// An installation of its own for sandbox tests: a slot, a network, one stack as only layer.
// `close` proves that nothing is left in the kernel.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  createCrunSandbox,
  removeCrunCgroups,
} from '../../packages/platform/src/adapters/crun/crun-sandbox.ts';
import type { CrunSandboxOptions } from '../../packages/platform/src/adapters/crun/context.ts';
import { randomUlaPrefix } from '../../packages/platform/src/adapters/installation-registry/create-installation.ts';
import { SlotRegistry } from '../../packages/platform/src/adapters/installation-registry/slots.ts';
import {
  createInstanceNetwork,
  type InstanceNetwork,
} from '../../packages/platform/src/adapters/instance-network/instance-network.ts';
import { createScratchDisks } from '../../packages/platform/src/adapters/scratch-disk/scratch-disks.ts';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';
import { ensureStack } from '../../packages/platform/src/adapters/stacks/ensure-stack.ts';
import type { StackKind } from '../../packages/platform/src/adapters/stacks/recipe.ts';
import {
  appUid,
  instanceAddresses,
  type Installation,
} from '../../packages/platform/src/domain/installation.ts';
import { markedPids } from '../../packages/platform/src/adapters/process-sandbox/marked-processes.ts';
import { createProcessSandbox } from '../../packages/platform/src/adapters/process-sandbox/process-sandbox.ts';
import {
  layerFiles,
  layerMounts,
  pathsOf,
  scratchFiles,
  type Paths,
} from '../../packages/platform/src/ports/paths.ts';
import {
  logText,
  type SandboxUnderTest,
} from '../../packages/platform/src/ports/sandbox-under-test.contract.ts';
import type { LayerRef } from '../../packages/platform/src/ports/image-store.ts';
import type {
  Sandbox,
  SandboxNetwork,
  SandboxProcess,
  SandboxSpec,
} from '../../packages/platform/src/ports/sandbox.ts';

const MIB = 1024 * 1024;
const TMP_BYTES = 16 * MIB;
const SLOTS = new SlotRegistry();

export interface SandboxFixture {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly sandbox: Sandbox;
  readonly network: InstanceNetwork;
  readonly stack: LayerRef;
  /** What was made ahead of time and has been used is there again. */
  rested(): Promise<void>;
  /** As another agent of the same installation would have it. */
  openSandbox(): Promise<Sandbox>;
  spec(script: string, changes?: Partial<SandboxSpec>): SandboxSpec;
  addresses(links?: SandboxNetwork['links']): SandboxNetwork;
  /** Runs `sh -c script` to its end and gives status and output. */
  run(script: string, changes?: Partial<SandboxSpec>): Promise<Finished>;
  readLog(spec: SandboxSpec): Promise<string>;
  close(): Promise<void>;
}

export interface Finished {
  readonly code: number;
  readonly outOfMemory: boolean;
  readonly output: string;
}

export async function createSandboxFixture(kind: StackKind = 'base'): Promise<SandboxFixture> {
  const root = await mkdtemp('/run/tandem-test-');
  const installation = await testInstallation(root);
  const paths = pathsOf(installation.name, { data: join(root, 'data'), run: join(root, 'run') });
  for (const directory of directoriesOf(paths)) await mkdir(directory, { recursive: true });
  const network = createInstanceNetwork({ installation });
  await network.ensureNetwork();
  const { file } = await ensureStack(kind, { cacheDirectory: paths.stackCache });
  const imageStore = createSquashfsImageStore({
    files: layerFiles(paths),
    mounts: layerMounts(paths),
  });
  const stack = await imageStore.admit(file);
  const scratch = createScratchDisks({
    directory: scratchFiles(paths),
    ready: { sizeBytes: TMP_BYTES, count: 1 },
  });
  await scratch.refill();
  const options: CrunSandboxOptions = {
    installation,
    paths,
    imageStore,
    scratch,
    network,
    caBundlePath: '/etc/ssl/certs/ca-certificates.crt',
  };
  const sandbox = await createCrunSandbox(options);
  let counter = 1;
  const started = new Set<SandboxProcess>();
  const fixture: SandboxFixture = {
    installation,
    paths,
    network,
    stack,
    rested: () => scratch.refill(),
    sandbox: {
      ...sandbox,
      start: async (spec, onRecord) => {
        const process = await sandbox.start(spec, onRecord);
        started.add(process);
        return process;
      },
    },
    openSandbox: () => createCrunSandbox(options),
    addresses: (links = []) => {
      counter += 1;
      return { ...instanceAddresses(installation, counter), links };
    },
    spec: (script, changes = {}) => ({
      ...testSpec(installation, paths, script, changes),
      layers: [stack],
    }),
    readLog: (spec) => logText(spec.logPath),
    run: async (script, changes) => {
      const spec = fixture.spec(script, changes);
      const process = await sandbox.start(spec);
      try {
        const status = await process.exited;
        return { ...status, output: await logText(spec.logPath) };
      } finally {
        await process.remove();
      }
    },
    close: async () => {
      for (const process of started) await process.remove();
      await sandbox.sweep(() => false);
      await scratch.close();
      await network.removeNetwork();
      await removeCrunCgroups(installation);
      await imageStore.remove(stack.sha256);
      await expectNothingLeft(installation, root);
      await SLOTS.release(installation.slot, installation.name);
      await rm(root, { recursive: true });
    },
  };
  return fixture;
}

const directoriesOf = (paths: Paths): string[] => [
  layerFiles(paths),
  layerMounts(paths),
  scratchFiles(paths),
  join(paths.data, 'logs'),
];

async function testInstallation(root: string): Promise<Installation> {
  const id = randomBytes(3).toString('hex');
  const name = `test-${id}`;
  const slot = await SLOTS.claim({
    name,
    dataRoot: join(root, 'data'),
    runRoot: join(root, 'run'),
  });
  return {
    schemaVersion: 1,
    name,
    id,
    slot,
    ipv6Prefix: randomUlaPrefix(randomBytes(7)),
    nodeName: 'n1',
    suffix: 'localhost',
    httpPort: 0,
  };
}

function testSpec(
  installation: Pick<Installation, 'slot'>,
  paths: Paths,
  script: string,
  changes: Partial<SandboxSpec>,
): SandboxSpec {
  const id = changes.id ?? `s${randomBytes(5).toString('hex')}`;
  return {
    id,
    layers: [],
    args: ['/bin/sh', '-c', script],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
    cwd: '/',
    uid: appUid(installation.slot, 1),
    userName: 'app1',
    hostname: 'web-1',
    hosts: {},
    mounts: [],
    limits: {
      memoryBytes: 128 * MIB,
      pids: 64,
      openFiles: 1024,
      tmpBytes: TMP_BYTES,
      cpuWeight: 100,
    },
    logPath: join(paths.data, 'logs', `${id}.log`),
    ...changes,
  };
}

async function expectNothingLeft(installation: Installation, root: string): Promise<void> {
  const prefix = `td${installation.slot.toString(16).padStart(2, '0')}-`;
  const interfaces = await readdir('/sys/class/net');
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const cgroup = await stat(`/sys/fs/cgroup/memory/tandem-${installation.id}`).catch(() => null);
  const left = [
    ...interfaces.filter((name) => name.startsWith(prefix)),
    ...mounts.split('\n').filter((line) => line.includes(` ${root}/`)),
    ...(cgroup === null ? [] : ['a cgroup']),
  ];
  if (left.length > 0) throw new Error(`left behind: ${left.join('; ')}`);
}

/** The same for plain processes, which need neither slot nor network. */
export async function createProcessFixture(): Promise<SandboxUnderTest> {
  const root = await mkdtemp('/run/tandem-test-');
  const id = randomBytes(3).toString('hex');
  const paths = pathsOf(`test-${id}`, { data: join(root, 'data'), run: join(root, 'run') });
  for (const directory of directoriesOf(paths)) await mkdir(directory, { recursive: true });
  // The user of a process goes through it to his scratch directory.
  await chmod(root, 0o711);
  const options = { installation: { id }, paths, layerDirectory: async () => '/no/layer' };
  const sandbox = await createProcessSandbox(options);
  return {
    sandbox,
    openSandbox: () => createProcessSandbox(options),
    spec: (script, changes = {}) => testSpec({ slot: 255 }, paths, script, changes),
    close: async () => {
      await sandbox.sweep(() => false);
      const left = await markedPids(id);
      if (left.length > 0) throw new Error(`left behind: processes ${left.join(', ')}`);
      await rm(root, { recursive: true });
    },
  };
}
