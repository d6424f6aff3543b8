// Debian packages as a layer above a stack. Nothing of a project runs in it, so it is made by the
// shared uid and shared by all apps that ask for the same on the same stack.
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readUntrustedFile } from '../../lib/read-untrusted-file.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions, BuildStack } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import { aptConf, DOWNLOAD, INSTALL, INSTALL_ENV, LOOK_UP } from './apt-files.ts';
import { choosePackages, isInstalled, parseInstalled, parseOffer } from './choose-packages.ts';
import { explainApt } from './explain-apt.ts';
import type { PackageSpec } from './package-spec.ts';

const LIST_BYTES_MAX = 16 * 1024 * 1024;
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
  await new Installation(session, { ...request, packages, work }).run(
    await options.systemArchive(),
  );
  const layer = await options.imageStore.pack(join(work, 'layer'), { signal: session.signal });
  await options.imageStore.bindKey(key, layer);
  await rm(work, { recursive: true, force: true });
  return session.keep(layer);
}

async function missing(
  { imageStore }: BuilderOptions,
  { stack, packages }: SystemLayerRequest,
): Promise<PackageSpec[]> {
  if (packages.length === 0) return [];
  const root = await imageStore.mount(stack.layer.sha256);
  const installed = parseInstalled(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8'));
  return packages.filter((spec) => !isInstalled(spec, installed));
}

function keyOf(stack: BuildStack, packages: readonly PackageSpec[]): string {
  const texts = packages.map(({ text }) => text).sort();
  return contentKey('system', { stack: stack.name, packages: texts });
}

async function workDirectory(session: BuildSession, uid: number): Promise<string> {
  const work = join(session.disk.work, '..', 'system-packages');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { mode: 0o700 });
  await chown(work, uid, uid);
  return work;
}

/** Three steps in sandboxes: look up, fetch, install. */
class Installation {
  readonly #session: BuildSession;
  readonly #request: SystemLayerRequest & { readonly work: string };

  constructor(session: BuildSession, request: SystemLayerRequest & { readonly work: string }) {
    this.#session = session;
    this.#request = request;
  }

  async run(sources: readonly string[]): Promise<void> {
    const { work, packages } = this.#request;
    await writeFile(join(work, 'apt.conf'), aptConf(), { mode: 0o644 });
    await writeFile(join(work, 'sources.list'), `${sources.join('\n')}\n`, { mode: 0o644 });
    const names = packages.map(({ name }) => name);
    await this.#step('packages-look', LOOK_UP, names, true);
    const chosen = choosePackages(packages, await this.#offer());
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
