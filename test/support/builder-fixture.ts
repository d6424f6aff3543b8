// An installation of its own for builder tests: real stacks, interpreters, images and sandboxes.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createCrunSandbox,
  removeCrunCgroups,
} from '../../packages/platform/src/adapters/crun/crun-sandbox.ts';
import { randomUlaPrefix } from '../../packages/platform/src/adapters/installation-registry/create-installation.ts';
import { SlotRegistry } from '../../packages/platform/src/adapters/installation-registry/slots.ts';
import { dnsmasqCommand } from '../../packages/platform/src/adapters/instance-network/dnsmasq-command.ts';
import { createInstanceNetwork } from '../../packages/platform/src/adapters/instance-network/instance-network.ts';
import { ensureInterpreterLayer } from '../../packages/platform/src/adapters/interpreters/ensure-interpreter-layer.ts';
import { listInterpreters } from '../../packages/platform/src/adapters/interpreters/list-interpreters.ts';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';
import { createNpmRegistry } from '../../packages/platform/src/adapters/npm-registry/npm-registry.ts';
import { systemArchive } from '../../packages/platform/src/adapters/stacks/apt-mirror.ts';
import { ensureStack } from '../../packages/platform/src/adapters/stacks/ensure-stack.ts';
import { STACK_FACTS } from '../../packages/platform/src/adapters/stacks/recipe.ts';
import { createBuilder } from '../../packages/platform/src/builder/builder.ts';
import type {
  BuildInterpreter,
  BuildStacks,
} from '../../packages/platform/src/builder/collaborators.ts';
import {
  buildUid,
  instanceAddresses,
  type Installation,
} from '../../packages/platform/src/domain/installation.ts';
import {
  layersOf,
  type BuiltImage,
  type Finding,
} from '../../packages/platform/src/domain/release.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import type { Builder, BuildRequest } from '../../packages/platform/src/ports/builder.ts';
import type { ImageStore } from '../../packages/platform/src/ports/image-store.ts';
import {
  layerFiles,
  layerMounts,
  pathsOf,
  scratchFiles,
  type Paths,
} from '../../packages/platform/src/ports/paths.ts';
import type { Sandbox } from '../../packages/platform/src/ports/sandbox.ts';

const MIB = 1024 * 1024;
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const UV_PATH = join(REPOSITORY, '.tools/uv/bin/uv');
const SLOTS = new SlotRegistry();

export interface BuilderFixture {
  readonly builder: Builder;
  readonly imageStore: ImageStore;
  readonly sandbox: Sandbox;
  readonly paths: Paths;
  readonly root: string;
  /** A source directory as an archive. */
  pack(directory: string): Promise<string>;
  /** Files as an archive. */
  packFiles(files: Readonly<Record<string, string>>): Promise<string>;
  build(archivePath: string, changes?: Partial<BuildRequest>): Promise<Built>;
  /** Runs a command in a finished image and gives what it wrote. */
  run(
    image: BuiltImage,
    command: string,
    env?: Record<string, string>,
  ): Promise<{ code: number; output: string }>;
  close(): Promise<void>;
}

export interface Built {
  readonly image: BuiltImage;
  readonly findings: readonly Finding[];
  readonly steps: readonly { name: string; detail: string; tookMs: number }[];
  readonly tookMs: number;
  readonly log: string;
}

export async function createBuilderFixture(): Promise<BuilderFixture> {
  const root = await mkdtemp('/var/tmp/tandem-builder-');
  await chmod(root, 0o755);
  const installation = await testInstallation(root);
  const paths = pathsOf(installation.name, { data: join(root, 'data'), run: join(root, 'run') });
  for (const path of [layerFiles(paths), layerMounts(paths), scratchFiles(paths)]) {
    await mkdir(path, { recursive: true });
  }
  const imageStore = createSquashfsImageStore({
    files: layerFiles(paths),
    mounts: layerMounts(paths),
  });
  const network = createInstanceNetwork({ installation });
  await network.ensureNetwork();
  const dns = startDns(installation);
  const scratch = directories(scratchFiles(paths));
  const sandbox = await createCrunSandbox({
    installation,
    paths,
    imageStore,
    scratch,
    network,
    caBundlePath: '/etc/ssl/certs/ca-certificates.crt',
  });
  const builder = createBuilder({
    sandbox,
    imageStore,
    stacks: stacksIn(paths, imageStore),
    systemArchive,
    packageRegistry: createNpmRegistry({ cacheDirectory: join(root, 'npm'), now: Date.now }),
    interpreters: await interpretersIn(root, imageStore),
    scratch,
    clock: systemClock,
    installation,
    paths,
    uvPath: UV_PATH,
    runtimePath: join(REPOSITORY, 'packages/platform/python'),
  });
  let counter = 1;
  const fixture: BuilderFixture = {
    builder,
    imageStore,
    sandbox,
    paths,
    root,
    pack: async (directory) => {
      const archive = join(root, `source-${randomBytes(4).toString('hex')}.tar.gz`);
      await runCommand(['tar', '-C', directory, '-czf', archive, '.'], { timeoutMs: 60_000 });
      return archive;
    },
    packFiles: async (files) => {
      const directory = await mkdtemp(join(root, 'files-'));
      for (const [path, text] of Object.entries(files)) {
        await mkdir(join(directory, path, '..'), { recursive: true });
        await import('node:fs/promises').then(({ writeFile }) =>
          writeFile(join(directory, path), text),
        );
      }
      return await fixture.pack(directory);
    },
    build: async (archivePath, changes = {}) => {
      counter += 1;
      const buildId = `t${counter}`;
      const logPath = join(root, `${buildId}.log`);
      const findings: Finding[] = [];
      const steps: Built['steps'][number][] = [];
      const start = performance.now();
      const image = await builder.build({
        buildId,
        appId: 1,
        appName: 'test',
        buildUid: buildUid(installation.slot, 1),
        archivePath,
        config: {},
        hostnames: ['test.localhost'],
        logPath,
        network: instanceAddresses(installation, counter),
        progress: {
          step: (name, detail, tookMs) => void steps.push({ name, detail, tookMs }),
          finding: (finding) => void findings.push(finding),
        },
        signal: AbortSignal.timeout(300_000),
        ...changes,
      });
      const tookMs = performance.now() - start;
      return { image, findings, steps, tookMs, log: await plainLog(changes.logPath ?? logPath) };
    },
    run: async (image, command, env = {}) => {
      const id = `run-${randomBytes(5).toString('hex')}`;
      const logPath = join(root, `${id}.log`);
      const process = await sandbox.start({
        id,
        layers: layersOf(image.layers),
        args: ['/bin/sh', '-c', command],
        env: {
          PATH: '/venv/bin:/opt/python/bin:/usr/bin:/bin',
          PORT: '8000',
          HOME: '/tmp',
          ...image.env,
          ...env,
        },
        cwd: image.workingDirectory ?? '/app',
        uid: buildUid(installation.slot, 1) - 1,
        userName: 'app1',
        hostname: 'test',
        hosts: {},
        mounts: [],
        limits: {
          memoryBytes: 512 * MIB,
          pids: 128,
          openFiles: 1024,
          tmpBytes: 64 * MIB,
          cpuWeight: 100,
        },
        logPath,
      });
      try {
        const { code } = await process.exited;
        return { code, output: await plainLog(logPath) };
      } finally {
        await process.remove();
      }
    },
    close: async () => {
      await sandbox.sweep(() => false);
      for (const sha256 of await imageStore.mounted()) await imageStore.unmount(sha256);
      dns.kill('SIGKILL');
      await once(dns, 'exit');
      await network.removeNetwork();
      await removeCrunCgroups(installation);
      await SLOTS.release(installation.slot, installation.name);
      await rm(root, { recursive: true });
    },
  };
  return fixture;
}

function startDns(installation: Installation): ChildProcess {
  const [file, ...args] = dnsmasqCommand(installation);
  return spawn(file, args, { stdio: 'ignore' });
}

async function testInstallation(root: string): Promise<Installation> {
  const id = randomBytes(3).toString('hex');
  const name = `test-${id}`;
  const slot = await SLOTS.claim({
    name,
    dataRoot: join(root, 'data'),
    runRoot: join(root, 'run'),
  });
  const ipv6Prefix = randomUlaPrefix(randomBytes(7));
  return {
    schemaVersion: 1,
    name,
    id,
    slot,
    ipv6Prefix,
    nodeName: 'n1',
    suffix: 'localhost',
    httpPort: 0,
  };
}

/** Plain directories: the size limit of real scratch disks has tests of its own. */
function directories(parent: string) {
  return {
    create: async (id: string) => {
      const path = join(parent, id);
      await mkdir(path);
      await chmod(path, 0o1777);
      return path;
    },
    remove: (id: string) => rm(join(parent, id), { recursive: true, force: true }),
  };
}

function stacksIn(paths: Paths, imageStore: ImageStore): BuildStacks {
  return {
    stack: async (kind) => {
      const stack = await ensureStack(kind, { cacheDirectory: paths.stackCache });
      const known = (await imageStore.list()).find(({ sha256 }) => sha256 === stack.sha256);
      return {
        name: stack.name,
        layer: known ?? (await imageStore.admit(stack.file, stack.sha256)),
      };
    },
  };
}

async function interpretersIn(root: string, imageStore: ImageStore): Promise<BuildInterpreter[]> {
  const search = {
    pyenvRoots: [join(homedir(), '.pyenv')],
    uvRoots: [],
    stack: STACK_FACTS,
  };
  const workDirectory = join(root, 'interpreters');
  const series = (version: string): string => version.split('.').slice(0, 2).join('.');
  return (await listInterpreters(search)).map(({ version, source }) => ({
    version,
    executable:
      source === 'stack' ? '/usr/bin/python3' : `/opt/python/bin/python${series(version)}`,
    layer: () => ensureInterpreterLayer(version, { imageStore, search, workDirectory }),
  }));
}

async function plainLog(path: string): Promise<string> {
  const content = await readFile(path, 'utf8').catch(() => '');
  return content.replace(/^\S+ std(?:out|err) ([FP]) (.*\n)/gm, (_, tag: string, line: string) =>
    tag === 'P' ? line.slice(0, -1) : line,
  );
}
