// Debian packages as a layer above a stack. Nothing of a project runs in it, so it is made by the
// shared uid and shared by all apps that ask for the same on the same stack.
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions, BuildStack } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import { aptConf, DOWNLOAD, INSTALL, INSTALL_ENV, LOOK_UP } from './apt-files.ts';
import {
  choosePackages,
  isInstalled,
  leftOut,
  namesOf,
  parseInstalled,
  parseOffer,
} from './choose-packages.ts';
import { explainApt } from './explain-apt.ts';
import type { PackageSpec } from './package-spec.ts';

const LIST_BYTES_MAX = 16 * 1024 * 1024;
const STATUS = 'var/lib/dpkg/status';
/** What packages may change; bound over the stack's own, which cannot be written. */
const CHANGED = ['usr', 'etc', 'var'];

export interface SystemLayerRequest {
  readonly stack: BuildStack;
  readonly packages: readonly PackageSpec[];
  readonly uid: number;
}

/** Undefined when the stack has all of it. */
export async function systemLayer(
  options: BuilderOptions,
  session: BuildSession,
  request: SystemLayerRequest,
): Promise<LayerRef | undefined> {
  const packages = await missing(options, request);
  if (packages.length === 0) return undefined;
  const key = keyOf(request.stack, packages);
  const known = await options.imageStore.findByKey(key);
  if (known !== undefined) return session.keep(known);
  const names = packages.map(({ text }) => text).join(' ');
  await session.log.say(`system packages: ${names}`);
  const work = await workDirectory(session, request.uid);
  await install(options, session, { ...request, packages, work });
  const layer = await options.imageStore.pack(join(work, 'layer'), { signal: session.signal });
  await options.imageStore.bindKey(key, layer);
  await rm(work, { recursive: true, force: true });
  return session.keep(layer);
}

/** Those of `packages` that nobody insisted on and that the stack with this layer does not have. */
export async function leftOutOf(
  { imageStore }: BuilderOptions,
  { stack, packages }: Pick<SystemLayerRequest, 'stack' | 'packages'>,
  layer: LayerRef | undefined,
): Promise<PackageSpec[]> {
  if (!packages.some(({ optional }) => optional === true)) return [];
  const statusOf = async ({ sha256 }: LayerRef): Promise<string> => {
    const path = join(await imageStore.mount(sha256), STATUS);
    return (await readUntrustedFile(path, LIST_BYTES_MAX)) ?? '';
  };
  // The layer's own lists what the stack has, too; a layer of nothing has none.
  const layers = [stack.layer, ...(layer ? [layer] : [])];
  const texts = await Promise.all(layers.map(statusOf));
  return leftOut(packages, new Map(texts.flatMap((text) => [...parseInstalled(text)])));
}

/** What nobody insists on must not fail what the app asks for. */
async function install(
  options: BuilderOptions,
  session: BuildSession,
  request: InstallationRequest,
): Promise<void> {
  const sources = await options.systemArchive();
  const { packages, work, uid } = request;
  try {
    await new Installation(session, request).run(sources);
  } catch (error) {
    const required = packages.filter(({ optional }) => optional !== true);
    const isTheirs = error instanceof TandemError && error.code.startsWith('SYSTEM_PACKAGE_');
    if (!isTheirs || required.length === packages.length) throw error;
    await session.log.say(`${error.message} Going on without those of the Dockerfile.`);
    await rm(work, { recursive: true, force: true });
    await workDirectory(session, uid);
    await mkdir(join(work, 'layer'));
    await chown(join(work, 'layer'), uid, uid);
    if (required.length === 0) return;
    await new Installation(session, { ...request, packages: required }).run(sources);
  }
}

async function missing(
  { imageStore }: BuilderOptions,
  { stack, packages }: SystemLayerRequest,
): Promise<PackageSpec[]> {
  if (packages.length === 0) return [];
  const root = await imageStore.mount(stack.layer.sha256);
  const installed = parseInstalled(await readFile(join(root, STATUS), 'utf8'));
  return packages.filter((spec) => !isInstalled(spec, installed));
}

function keyOf(stack: BuildStack, packages: readonly PackageSpec[]): string {
  const texts = packages.map(({ text, optional }) => `${text}${optional ? '?' : ''}`).sort();
  return contentKey('system', { stack: stack.name, packages: texts });
}

async function workDirectory(session: BuildSession, uid: number): Promise<string> {
  const work = join(session.disk.work, '..', 'system-packages');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { mode: 0o700 });
  await chown(work, uid, uid);
  return work;
}

interface InstallationRequest extends SystemLayerRequest {
  readonly work: string;
}

/** Three steps in sandboxes: look up, fetch, install. */
class Installation {
  readonly #session: BuildSession;
  readonly #request: InstallationRequest;

  constructor(session: BuildSession, request: InstallationRequest) {
    this.#session = session;
    this.#request = request;
  }

  async run(sources: readonly string[]): Promise<void> {
    const { work, packages } = this.#request;
    await writeFile(join(work, 'apt.conf'), aptConf(), { mode: 0o644 });
    await writeFile(join(work, 'sources.list'), `${sources.join('\n')}\n`, { mode: 0o644 });
    const names = packages.flatMap(namesOf);
    await this.#step('packages-look', LOOK_UP, names, true);
    const chosen = choosePackages(packages, await this.#offer());
    if (chosen.length === 0) return;
    await this.#step('packages-fetch', DOWNLOAD, chosen, true);
    await this.#step('packages-set', INSTALL, chosen, false);
  }

  async #offer() {
    const [versions, names] = await Promise.all(
      ['versions.txt', 'names.txt'].map((name) =>
        readUntrustedFile(join(this.#request.work, name), LIST_BYTES_MAX),
      ),
    );
    return parseOffer(versions ?? '', names ?? '');
  }

  async #step(name: string, script: string, args: readonly string[], network: boolean) {
    const { stack, uid, work, packages } = this.#request;
    const tree = CHANGED.map((path) => mountOf(join(work, 'tree', path), `/${path}`, false));
    const result: StepResult = await this.#session.run({
      name,
      layers: [stack.layer],
      args: ['/bin/sh', '-eu', '-c', script, 'sh', ...args],
      env: INSTALL_ENV,
      uid,
      // Only the installation changes anything, and it has no network.
      mounts: [mountOf(work, '/build', false), ...(network ? [] : tree)],
      network,
    });
    if (result.exit.code !== 0) throw explainApt(result.logTail, packages);
  }
}
