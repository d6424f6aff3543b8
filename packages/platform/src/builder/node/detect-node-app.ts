// A Node.js app: package.json at the root of the app, something that starts it, and no Python web
// application. Pure.
import type { Finding, ProcessType } from '../../domain/release.ts';
import { detected, finding, type Detected } from '../detect/evidence.ts';
import { walkFiles, type SourceTree } from '../detect/source-tree.ts';
import type { TandemConfig } from '../detect/tandem-toml.ts';
import { buildScripts } from './detect-node-build.ts';
import { detectNodeVersion, type NodeWish } from './node-version.ts';
import { allDependencies, lineOfKey, readPackageJson, type PackageJson } from './package-json.ts';
import { detectPackageManager, programOf, type PackageManager } from './package-manager.ts';
import { startCommand } from './start-command.ts';

export interface NodeApp {
  readonly manifest: PackageJson;
  readonly manager: PackageManager;
  readonly node: NodeWish;
  readonly buildScripts: readonly string[];
  /** Undefined when the project names its web process itself. */
  readonly webCommand: string | undefined;
  readonly wantsDatabase: boolean;
  readonly wantsRedis: boolean;
}

export interface NodeAppRequest {
  readonly root: string;
  readonly config: TandemConfig;
  readonly web: ProcessType | undefined;
  /** A requirements file or the like says that it is Python. */
  readonly hasPythonDependencies: boolean;
}

const STARTS_NODE = /^(?:\w+=\S*\s+)*(node|npm|npx|yarn|pnpm|bun|bunx|next|nuxt|tsx|ts-node)\b/;
const DRIVERS = ['pg', 'postgres', 'pg-promise', 'pg-native', '@vercel/postgres', 'slonik'];
const REDIS_CLIENTS = ['redis', 'ioredis', 'bullmq', 'bull', 'connect-redis', '@redis/client'];
const PRISMA_POSTGRESQL = /provider\s*=\s*"postgres(ql)?"/;

export function detectNodeApp(
  tree: SourceTree,
  { root, config, web, hasPythonDependencies }: NodeAppRequest,
): Detected<NodeApp> | undefined {
  if (config.node === false) return undefined;
  const manifest = readPackageJson(tree, root);
  if (manifest === undefined) return undefined;
  if (web !== undefined ? !STARTS_NODE.test(web.command) : hasPythonDependencies) return undefined;
  const manager = detectPackageManager(tree, manifest);
  const program = programOf(manager);
  const start = web === undefined ? startCommand(tree, manifest, program) : undefined;
  if (web === undefined && start === undefined) return undefined;
  const wish = typeof config.node === 'object' ? config.node : {};
  const scripts = wish.build === undefined ? buildScripts(manifest) : [wish.build].flat();
  const driver = databaseDriver(tree, manifest);
  const redis = redisClient(manifest);
  const value: NodeApp = {
    manifest,
    manager,
    node: detectNodeVersion(tree, manifest, [manager.directory, root, ''], wish.version),
    buildScripts: scripts,
    webCommand: start?.command,
    wantsDatabase: config.database ?? driver !== undefined,
    wantsRedis: config.redis ?? redis !== undefined,
  };
  return detected(
    value,
    finding('framework', 'node', 'package.json, and no Python web application', manifest.path),
    ...(start ? [finding('process', `web: ${start.command}`, start.why, start.evidence)] : []),
    finding('dependencies', manager.lockFile ?? manifest.path, 'nearest to the app'),
    ...scripts.map((name) =>
      finding(
        'node build',
        `${program} run ${name}`,
        'a script that builds',
        lineOfKey(manifest, name),
      ),
    ),
    ...(driver ? [driver] : []),
    ...(redis ? [redis] : []),
  );
}

function databaseDriver(tree: SourceTree, manifest: PackageJson): Finding | undefined {
  const dependencies = allDependencies(manifest);
  const name = DRIVERS.find((one) => dependencies[one] !== undefined);
  if (name !== undefined) {
    return finding('database', 'PostgreSQL', `${name} is a dependency`, lineOfKey(manifest, name));
  }
  if (dependencies['@prisma/client'] === undefined) return undefined;
  const schema = walkFiles(tree, manifest.directory, 2)
    .filter((path) => path.endsWith('.prisma'))
    .find((path) => PRISMA_POSTGRESQL.test(tree.read(path) ?? ''));
  if (schema === undefined) return undefined;
  return finding('database', 'PostgreSQL', 'the schema of Prisma names it', schema);
}

function redisClient(manifest: PackageJson): Finding | undefined {
  const name = REDIS_CLIENTS.find((one) => manifest.dependencies[one] !== undefined);
  if (name === undefined) return undefined;
  const why = `${name} is a dependency`;
  return finding('redis', 'a server of its own', why, lineOfKey(manifest, name));
}
