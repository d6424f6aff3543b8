// The packages that a lock names, installed once for an app and kept as a layer: a build whose lock
// is unchanged finds them there.
import { chown, lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayerRef } from '../../ports/image-store.ts';
import type { SandboxMount } from '../../ports/sandbox.ts';
import { mountOf, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { contentKey, fileHash } from '../content-key.ts';
import { insideApp, under, type SourceTree } from '../detect/source-tree.ts';
import { explainNodeInstall } from './explain-node.ts';
import type { NodeRuntime } from './node-layer.ts';
import { allDependencies, readPackageJson, type PackageJson } from './package-json.ts';
import {
  installCommand,
  pruneCommand,
  type ManagerCommand,
  type PackageManager,
} from './package-manager.ts';

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
}

/** What tools write there although it is not theirs; bound over, so that the rest stays as it is. */
const CACHES = ['.cache', '.vite', '.vite-temp'];

const HOOKS = ['preinstall', 'install', 'postinstall', 'prepare'];
/** These look at no file of the project. */
const GIT_HOOKS = /^(husky|lefthook|simple-git-hooks|npx husky|is-ci)\b/;

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
    await makeMountPoint(this.#session.disk.source, path, this.#session.request.buildUid);
    const key = await this.#key(request);
    const known = await this.#options.imageStore.findByKey(key);
    if (known !== undefined) {
      this.#session.keep(known);
      const root = await this.#options.imageStore.mount(known.sha256);
      const directory = join(root, 'app', path);
      const mounts = await this.#mounts(request, path, directory);
      return { path, cached: true, mounts, directory, key, layer: Promise.resolve(known) };
    }
    const directory = await this.#directory(request.name);
    await this.#run(request, path, directory);
    for (const cache of CACHES) await mkdir(join(directory, cache), { recursive: true });
    const mounts = await this.#mounts(request, path, directory);
    const layer = this.#pack(directory, path, key);
    return { path, cached: false, mounts, directory, key, layer };
  }

  /**
   * The same without what only building needs: taken away from a copy, because a second installation
   * would run the project's hooks without their tools.
   */
  async production(request: ModulesRequest, full: Modules): Promise<PackedModules> {
    const key = contentKey('node-modules-production', { full: full.key });
    const known = await this.#options.imageStore.findByKey(key);
    if (known !== undefined) return { layer: Promise.resolve(this.#session.keep(known)) };
    const directory = await this.#directory(request.name);
    const copy = await this.#step({
      ...{ ...request, name: `${request.name}-copy` },
      command: {
        args: ['cp', '-a', '--no-preserve=ownership', '/build/full/.', '/build/here'],
        env: {},
      },
      mounts: [mountOf(full.directory, '/build/full'), mountOf(directory, '/build/here', false)],
    });
    if (copy.exit.code !== 0) throw explainNodeInstall(request.manager, copy.logTail);
    await this.#run({ ...request, prune: true }, full.path, directory);
    return { layer: this.#pack(directory, full.path, key) };
  }

  async #key({ manager, runtime, ground }: ModulesRequest): Promise<string> {
    const { directory, lockFile } = manager;
    const manifest = readPackageJson(this.#tree, directory);
    const read = (name: string): string | undefined => this.#tree.read(under(directory, name));
    const { appId, archivePath, config } = this.#session.request;
    const settings = ['.npmrc', '.yarnrc', '.yarnrc.yml', 'pnpm-workspace.yaml'].map(read);
    // Registries and their tokens come from variables.
    const used = [...JSON.stringify(settings).matchAll(/\$\{(\w+)\}/g)];
    return contentKey('node-modules', {
      owner: appId,
      lock: lockFile === undefined ? undefined : this.#tree.read(lockFile),
      manifest: manifest && decisive(manifest),
      settings,
      variables: used.map(([, name = '']) => [name, config[name]]),
      manager: [manager.name, manager.directory],
      node: runtime.layer.sha256,
      ground,
      // Packages that lie in the source change with it.
      source: usesPaths(manifest, this.#tree) ? await fileHash(archivePath) : undefined,
      registry: this.#options.packageRegistry.url,
    });
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
    request: ModulesRequest & { readonly prune?: true },
    path: string,
    directory: string,
  ): Promise<void> {
    const { manager, prune } = request;
    const { exit, logTail } = await this.#step({
      ...request,
      command: prune ? pruneCommand(manager) : installCommand(manager),
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

  async #pack(directory: string, path: string, key: string): Promise<LayerRef> {
    const entry = { directory, prefix: `/app/${path}` };
    const layer = await this.#options.imageStore.packTrees([entry], {
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
    PATH: '/opt/node/bin:/usr/local/bin:/usr/bin:/bin',
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

/** Of package.json, what an installation depends on. */
function decisive(manifest: PackageJson): unknown {
  const { dependencies, devDependencies, optionalDependencies, scripts, packageManager } = manifest;
  const hooks = HOOKS.map((name) => scripts[name]);
  const json = JSON.parse(manifest.text.replace(/^\uFEFF/, '')) as Record<string, unknown>;
  const { overrides, resolutions, pnpm, workspaces } = json;
  return [
    [dependencies, devDependencies, optionalDependencies, hooks, packageManager],
    [overrides, resolutions, pnpm, workspaces],
  ];
}

function usesPaths(manifest: PackageJson | undefined, tree: SourceTree): boolean {
  if (manifest === undefined) return true;
  const workspace = tree.read(under(manifest.directory, 'pnpm-workspace.yaml')) ?? '';
  const versions = Object.values(allDependencies(manifest));
  const hooks = HOOKS.flatMap((name) => manifest.scripts[name] ?? []);
  return (
    manifest.hasWorkspaces ||
    /^packages:/m.test(workspace) ||
    hooks.some((command) => !GIT_HOOKS.test(command)) ||
    versions.some((version) => /^(file|link|portal|workspace):|^\.{0,2}\//.test(version))
  );
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
