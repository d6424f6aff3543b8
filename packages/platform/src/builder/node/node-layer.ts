// Node.js with its package manager as a layer at /opt/node. Both are published packages with
// verified hashes, unpacked by the shared uid: shared by all apps.
import { chown, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import semver from 'semver';
import type { LayerRef } from '../../ports/image-store.ts';
import { mountOf, type BuildSession } from '../build-session.ts';
import type { BuilderOptions, BuildStack } from '../collaborators.ts';
import { contentKey } from '../content-key.ts';
import { chooseNodeVersion, chooseToolVersion, type NodeWish } from './node-version.ts';
import type { PackageManager } from './package-manager.ts';

export interface NodeRuntime {
  readonly version: string;
  readonly layer: LayerRef;
}

export interface NodeLayerRequest {
  readonly wish: NodeWish;
  readonly manager: PackageManager;
  /** Has tar and nothing of the project. */
  readonly stack: BuildStack;
  readonly uid: number;
}

interface Tool {
  readonly packageName: string;
  readonly version: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x64', arm64: 'arm64' };
/** The npm that each Node brings along: newer ones do not always take older locks. */
const NPM_RANGES: Readonly<Record<number, string>> = {
  16: '^8',
  18: '^10',
  20: '^10',
  22: '^10',
  24: '^11',
};

const UNPACK = `
cd /build
mkdir -p tree/opt/node/bin tree/opt/node/lib/node_modules
tar -xzf node.tgz -C tree/opt/node --strip-components=1 --no-same-owner --no-same-permissions
rm -rf tree/opt/node/share tree/opt/node/*.md
for tool in tool-*.tgz; do
  name=\${tool#tool-}; name=\${name%.tgz}
  place=tree/opt/node/lib/node_modules/$name
  mkdir "$place"
  tar -xzf "$tool" -C "$place" --strip-components=1 --no-same-owner --no-same-permissions
  for program in npm-cli.js:npm npx-cli.js:npx yarn.js:yarn pnpm.cjs:pnpm pnpm.mjs:pnpm bun:bun; do
    [ -f "$place/bin/\${program%:*}" ] || continue
    chmod 755 "$place/bin/\${program%:*}"
    ln -sf "../lib/node_modules/$name/bin/\${program%:*}" "tree/opt/node/bin/\${program#*:}"
  done
done
chmod 755 tree/opt/node/bin/node
tree/opt/node/bin/node --version`;

export async function nodeLayer(
  options: BuilderOptions,
  session: BuildSession,
  request: NodeLayerRequest,
): Promise<NodeRuntime> {
  const nodePackage = `node-linux-${ARCHITECTURES[process.arch] ?? process.arch}`;
  const version = await nodeVersion(options, request.wish, nodePackage);
  const tools = await toolsFor(options, request.manager, version);
  const key = contentKey('node', { nodePackage, version, tools, stack: request.stack.name });
  const known = await options.imageStore.findByKey(key);
  if (known !== undefined) return { version, layer: session.keep(known) };
  const work = join(session.disk.work, '..', 'node');
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { mode: 0o700 });
  const packages = [{ packageName: nodePackage, version }, ...tools];
  for (const [index, { packageName, version }] of packages.entries()) {
    await session.log.say(`fetching ${packageName} ${version}`);
    const file = index === 0 ? 'node.tgz' : `tool-${nameOf(packageName)}.tgz`;
    await options.packageRegistry.download(packageName, version, join(work, file), session.signal);
  }
  await unpack(session, request, work);
  const layer = await options.imageStore.pack(join(work, 'tree'), { signal: session.signal });
  await options.imageStore.bindKey(key, layer);
  await rm(work, { recursive: true, force: true });
  return { version, layer: session.keep(layer) };
}

function nameOf(packageName: string): string {
  if (packageName.startsWith('@oven/')) return 'bun';
  return packageName.startsWith('@') ? 'yarn' : packageName;
}

async function nodeVersion(
  { packageRegistry }: BuilderOptions,
  { range, why, evidence }: NodeWish,
  nodePackage: string,
): Promise<string> {
  const published = Object.keys(await packageRegistry.versions(nodePackage));
  const version = chooseNodeVersion(range, published);
  if (version !== undefined) return version;
  const majors = [...new Set(published.map((one) => semver.major(one)))].sort((a, b) => b - a);
  throw new TandemError('NODE_UNAVAILABLE', `There is no Node.js "${range}" (${why}).`, {
    where: evidence,
    hint: `ask for one of ${majors.slice(0, 8).join(', ')}: node = { version = "${majors[0]}" } in tandem.toml`,
  });
}

/** npm comes in any case: scripts call it. */
async function toolsFor(
  { packageRegistry }: BuilderOptions,
  manager: PackageManager,
  nodeVersion: string,
): Promise<Tool[]> {
  const npm = manager.name === 'npm' ? manager.range : undefined;
  const wanted: [string, string][] = [['npm', npm ?? NPM_RANGES[semver.major(nodeVersion)] ?? '*']];
  if (manager.name !== 'npm' && manager.ownProgram === undefined) {
    wanted.push([manager.packageName, manager.range ?? '*']);
  }
  const tools: Tool[] = [];
  for (const [packageName, range] of wanted) {
    const published = await packageRegistry.versions(packageName);
    const version = chooseToolVersion(range, nodeVersion, published);
    if (version === undefined) throw noTool(packageName, range, nodeVersion, manager);
    tools.push({ packageName, version });
  }
  return tools;
}

function noTool(name: string, range: string, nodeVersion: string, manager: PackageManager) {
  const message = `No ${name} "${range}" runs on Node.js ${nodeVersion}.`;
  return new TandemError('NODE_UNAVAILABLE', message, {
    where: manager.lockFile,
    hint: 'name another version of Node.js: node = { version = "22" } in tandem.toml',
  });
}

async function unpack(
  session: BuildSession,
  { stack, uid }: NodeLayerRequest,
  work: string,
): Promise<void> {
  await chown(work, uid, uid);
  const { exit, logTail } = await session.run({
    name: 'node-unpack',
    layers: [stack.layer],
    args: ['/bin/sh', '-eu', '-c', UNPACK],
    uid,
    mounts: [mountOf(work, '/build', false)],
    network: false,
  });
  if (exit.code === 0) return;
  throw new TandemError('BUILD_FAILED', `Node.js could not be unpacked: ${logTail.trim()}`);
}
