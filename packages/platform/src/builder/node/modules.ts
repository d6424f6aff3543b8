// The packages that a lock names, installed once for an app and kept as a layer: a build whose lock
// is unchanged finds them there.
import { chown, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerRef, PackEntry } from '../../ports/image-store.ts';
import type { SandboxMount } from '../../ports/sandbox.ts';
import { mountOf, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey, fileHash } from '../content-key.ts';
import { insideApp, under, type SourceTree } from '../detect/source-tree.ts';
import { explainNodeInstall } from './explain-node.ts';
import type { NodeRuntime } from './node-layer.ts';
import { installationInputs, type InstallationInputs } from './installation-inputs.ts';
import {
  installCommand,
  pruneCommand,
  type ManagerCommand,
  type PackageManager,
} from './package-manager.ts';

/** Of programs that we add (added-programs.ts); whatever the project brings goes before. */
export const PROGRAMS_DIRECTORY = '/opt/node-programs';

export interface ModulesRequest {
  /** Short and unique within the build. */
  readonly name: string;
  readonly manager: PackageManager;
  readonly runtime: NodeRuntime;
  /** The stack with compilers, and Node.js. */
  readonly layers: readonly LayerRef[];
  /** Changes with those layers. */
  readonly ground: unknown;
}

export interface PackedModules {
  /** Resolves when it is packed. */
  readonly layer: Promise<LayerRef>;
}

export interface Modules extends PackedModules {
  /** `frontend/node_modules`, in the source. */
  readonly path: string;
  readonly cached: boolean;
  /** For steps that use them. */
  readonly mounts: readonly SandboxMount[];
  /** Where they lie now. */
  readonly directory: string;
  readonly key: string;
  /** Workspaces have some of their own. */
  readonly isSpread: boolean;
}

/** What tools write there although it is not theirs; bound over, so that the rest stays as it is. */
const CACHES = ['.cache', '.vite', '.vite-temp'];
/** In a layer of packages: what hooks of the project wrote elsewhere in the source. */
const WRITTEN = '/opt/tandem/written';
const COLLECT = `cd /app && find . \\( -name node_modules -o -name .git \\) -prune -o \
\\( -type f -o -type l \\) -cnewer /build/installation-start -print0 |
tar --null --no-recursion -T - -cf - | tar -xf - -C /build/written`;
const MAKE_EXECUTABLE = `cd /build/from && find . -type f -perm -u+x -print0 |
xargs -0r sh -c 'cd /app && for file; do [ ! -f "$file" ] || chmod +x "$file"; done' sh`;
const DEPTH_MAX = 6;
const MODULE_DIRECTORIES_MAX = 500;

export class NodeModules {
  readonly #options: BuilderOptions;
  readonly #session: BuildSession;
  readonly #tree: SourceTree;

  constructor(options: BuilderOptions, session: BuildSession, tree: SourceTree) {
    this.#options = options;
    this.#session = session;
    this.#tree = tree;
  }

  async install(request: ModulesRequest): Promise<Modules> {
    const path = under(request.manager.directory, 'node_modules');
    const { source } = this.#session.disk;
    await makeMountPoint(source, path, this.#session.request.buildUid);
    const inputs = installationInputs(this.#tree, request.manager);
    const key = await this.#key(request, inputs);
    const known = await this.#options.imageStore.findByKey(key);
    if (known !== undefined) return await this.#kept(request, inputs, { path, key, known });
    const directory = await this.#directory(request.name);
    const written = touchesSource(inputs)
      ? await this.#directory(`${request.name}-written`)
      : undefined;
    const start = join(this.#session.disk.work, 'installation-start');
    await writeFile(start, '');
    const before = new Set(await moduleDirectories(source));
    await this.#run(request, path, directory, installCommand(request.manager));
    if (written !== undefined) await this.#collectWritten(request, written);
    for (const cache of CACHES) await mkdir(join(directory, cache), { recursive: true });
    const nested = (await moduleDirectories(source)).filter((one) => !before.has(one));
    const mounts = await this.#mounts(request, path, directory);
    const trees: PackEntry[] = [
      ...nested.map((one) => ({ directory: join(source, one), prefix: `/app/${one}` })),
      ...(written === undefined ? [] : [{ directory: written, prefix: WRITTEN }]),
    ];
    const layer = this.#pack([{ directory, prefix: `/app/${path}` }, ...trees], key);
    return { path, cached: false, mounts, directory, key, layer, isSpread: nested.length > 0 };
  }

  /** As it was installed before: where it lay, beside it what hooks of the project wrote. */
  async #kept(
    request: ModulesRequest,
    inputs: InstallationInputs,
    { path, key, known }: { path: string; key: string; known: LayerRef },
  ): Promise<Modules> {
    const { disk, request: build } = this.#session;
    this.#session.keep(known);
    const root = await this.#options.imageStore.mount(known.sha256);
    const directory = join(root, 'app', path);
    const nested = (await moduleDirectories(join(root, 'app'))).filter((one) => one !== path);
    const mounts = await this.#mounts(request, path, directory);
    for (const one of nested) {
      await makeMountPoint(disk.source, one, build.buildUid);
      mounts.push(mountOf(join(root, 'app', one), `/app/${one}`));
    }
    const written = join(root, WRITTEN);
    if (await isDirectory(written)) {
      // Without hooks only the packages of the source were made executable; their code may be newer.
      const restore = inputs.hasOwnHooks ? copyTo('/app') : MAKE_EXECUTABLE;
      await this.#restore(request, written, restore);
    }
    const layer = Promise.resolve(known);
    return { path, cached: true, mounts, directory, key, layer, isSpread: nested.length > 0 };
  }

  /**
   * The same without what only building needs: taken away from a copy, because a second installation
   * would run the project's hooks without their tools.
   */
  async production(request: ModulesRequest, full: Modules): Promise<PackedModules> {
    const prune = pruneCommand(request.manager);
    // Workspaces have their own: what may go is not for us to tell.
    if (full.isSpread || prune === undefined) return { layer: full.layer };
    const key = contentKey('node-modules-production', { full: full.key });
    const known = await this.#options.imageStore.findByKey(key);
    if (known !== undefined) return { layer: Promise.resolve(this.#session.keep(known)) };
    const directory = await this.#directory(request.name);
    await this.#restore(request, full.directory, copyTo('/build/here'), [
      mountOf(directory, '/build/here', false),
    ]);
    await this.#run(request, full.path, directory, prune);
    return { layer: this.#pack([{ directory, prefix: `/app/${full.path}` }], key) };
  }

  async #key(
    { manager, runtime, ground }: ModulesRequest,
    inputs: InstallationInputs,
  ): Promise<string> {
    const { appId, archivePath, config } = this.#session.request;
    return contentKey('node-modules', {
      owner: appId,
      inputs,
      variables: inputs.variables.map((name) => config[name]),
      manager: [manager.name, manager.directory],
      node: runtime.layer.sha256,
      ground,
      source: inputs.hasOwnHooks ? await fileHash(archivePath) : undefined,
      registry: this.#options.packageRegistry.url,
    });
  }

  /** Files that the hooks of the project made or changed outside of node_modules. */
  async #collectWritten(request: ModulesRequest, directory: string): Promise<void> {
    const { exit, logTail } = await this.#step({
      ...{ ...request, name: `${request.name}-written` },
      command: { args: ['/bin/sh', '-c', COLLECT], env: {} },
      mounts: [mountOf(directory, '/build/written', false)],
    });
    if (exit.code !== 0) throw explainNodeInstall(request.manager, logTail);
  }

  /** What was kept lies at /build/from. */
  async #restore(
    request: ModulesRequest,
    from: string,
    script: string,
    mounts: readonly SandboxMount[] = [],
  ): Promise<void> {
    const { exit, logTail } = await this.#step({
      ...{ ...request, name: `${request.name}-copy` },
      command: { args: ['/bin/sh', '-c', script], env: {} },
      mounts: [mountOf(from, '/build/from'), ...mounts],
    });
    if (exit.code !== 0) throw explainNodeInstall(request.manager, logTail);
  }

  async #directory(name: string): Promise<string> {
    const uid = this.#session.request.buildUid;
    const directory = join(this.#session.disk.work, '..', name);
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { mode: 0o755 });
    await chown(directory, uid, uid);
    return directory;
  }

  async #run(
    request: ModulesRequest,
    path: string,
    directory: string,
    command: ManagerCommand,
  ): Promise<void> {
    const { manager } = request;
    const { exit, logTail } = await this.#step({
      ...request,
      command,
      mounts: [mountOf(directory, `/app/${path}`, false)],
    });
    if (exit.code !== 0) throw explainNodeInstall(manager, logTail);
  }

  async #step(
    request: ModulesRequest & {
      readonly command: ManagerCommand;
      readonly mounts: readonly SandboxMount[];
    },
  ): Promise<StepResult> {
    const { manager, layers, name, command } = request;
    const { disk } = this.#session;
    return await this.#session.run({
      name,
      layers,
      args: command.args,
      env: { ...nodeEnv(this.#options, this.#session), ...command.env },
      cwd: cwdOf(manager.directory),
      uid: this.#session.request.buildUid,
      mounts: [
        mountOf(disk.work, '/build', false),
        mountOf(disk.source, '/app', false),
        ...request.mounts,
      ],
      network: true,
    });
  }

  async #mounts(request: ModulesRequest, path: string, directory: string) {
    const uid = this.#session.request.buildUid;
    const caches = CACHES.map(async (cache) => {
      const source = join(this.#session.disk.work, '..', `${request.name}${cache}`);
      await mkdir(source, { recursive: true, mode: 0o755 });
      await chown(source, uid, uid);
      return mountOf(source, `/app/${path}/${cache}`, false);
    });
    return [mountOf(directory, `/app/${path}`), ...(await Promise.all(caches))];
  }

  async #pack(entries: readonly [PackEntry, ...PackEntry[]], key: string): Promise<LayerRef> {
    const layer = await this.#options.imageStore.packTrees(entries, {
      signal: this.#session.signal,
    });
    await this.#options.imageStore.bindKey(key, layer);
    return this.#session.keep(layer);
  }
}

export function cwdOf(directory: string): string {
  return insideApp(directory);
}

export function nodeEnv({ packageRegistry }: BuilderOptions, session: BuildSession) {
  const { url } = packageRegistry;
  return {
    CI: '1',
    ...session.request.config,
    PATH: `/opt/node/bin:/usr/local/bin:/usr/bin:/bin:${PROGRAMS_DIRECTORY}/bin`,
    npm_config_cache: '/build/npm-cache',
    YARN_CACHE_FOLDER: '/build/yarn-cache',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_fetch_retries: '2',
    npm_config_fetch_timeout: '60000',
    // The authorities of the machine: Node.js knows only its own.
    NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt',
    // Headers for what is compiled; they would be fetched from nodejs.org.
    npm_config_nodedir: '/opt/node',
    // The machine's memory is not ours: leave room for the other processes of a build.
    NODE_OPTIONS: '--max-old-space-size=1400',
    ...(url === undefined
      ? {}
      : { npm_config_registry: url, YARN_REGISTRY: url, YARN_NPM_REGISTRY_SERVER: url }),
  };
}

/** Those of workspaces lie beside their package.json, wherever that is. */
export async function moduleDirectories(source: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (directory: string, depth: number): Promise<void> => {
    if (depth > DEPTH_MAX || found.length > MODULE_DIRECTORIES_MAX) return;
    const entries = await readdir(join(source, directory), { withFileTypes: true });
    for (const entry of entries.filter((one) => one.isDirectory())) {
      const path = join(directory, entry.name);
      if (entry.name === 'node_modules') found.push(path);
      else if (entry.name !== '.git') await visit(path, depth + 1);
    }
  };
  await visit('', 0);
  return found;
}

function copyTo(directory: string): string {
  return `cp -a --no-preserve=ownership /build/from/. ${directory}`;
}

/** Hooks write where they like, and programs of packages in the source are made executable. */
function touchesSource({ hasOwnHooks, files, manifests }: InstallationInputs): boolean {
  return hasOwnHooks || files.length > 0 || manifests.length > 1;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}

/** In a source that the build may have changed: no link is followed. */
async function makeMountPoint(source: string, path: string, uid: number): Promise<void> {
  let at = source;
  for (const name of path.split('/')) {
    at = join(at, name);
    const status = await lstat(at).catch(() => undefined);
    if (status?.isDirectory()) continue;
    if (status !== undefined) await rm(at);
    await mkdir(at, { mode: 0o755 });
    await chown(at, uid, uid);
  }
}
