// From nothing, or from any half-way state, to a healthy installation. Every step looks at what is
// there first, so running it again changes nothing and repairs what is dead.
import { chown, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TandemError, type PlatformStatus } from '@tandem/protocol';
import { ControlClient } from '@tandem/protocol/client';
import { findOrCreateInstallation } from '../../adapters/installation-registry/create-installation.ts';
import { writeInstallation } from '../../adapters/installation-registry/installation-file.ts';
import { SlotRegistry } from '../../adapters/installation-registry/slots.ts';
import { createInstanceNetwork } from '../../adapters/instance-network/instance-network.ts';
import { MARK_VARIABLE } from '../../adapters/leftovers/mark.ts';
import { prepareStaticServer } from '../../adapters/nginx/nginx-command.ts';
import { waitFor } from '../../adapters/s6/service-state.ts';
import { Supervisor } from '../../adapters/s6/supervisor.ts';
import { ensureStack } from '../../adapters/stacks/ensure-stack.ts';
import { STACK_KINDS } from '../../adapters/stacks/recipe.ts';
import {
  daemonCgroup,
  PLATFORM_UID,
  platformUid,
  type Installation,
} from '../../domain/installation.ts';
import {
  balancerSecrets,
  balancerState,
  controlSocket,
  platformLogs,
  superviseDirectory,
  type Paths,
} from '../../ports/paths.ts';
import { mergeCertificateSettings } from '../certificate-options.ts';
import { withInstallationLock } from './lock.ts';
import { balancerCount, daemonEnvironment, type Checkout } from './machine.ts';
import type { SandboxKind, UpOptions } from './options.ts';
import { ensureRunDirectory, letThrough } from './run-directory.ts';
import { servicesOf } from './services.ts';

export interface BringUpContext {
  readonly checkout: Checkout;
  readonly environment: NodeJS.ProcessEnv;
  /** One line of progress for people. */
  readonly say: (line: string) => void;
}

export interface RunningInstallation {
  readonly installation: Installation;
  readonly paths: Paths;
  /** Daemons that were not there, dead, or of another build. */
  readonly started: readonly string[];
  readonly status: PlatformStatus;
}

const HEALTHY_TIMEOUT_MS = 120_000;
/** Of a new installation on port 80: who serves the world need not ask for it. */
const HTTPS_PORT = 443;
const DEFAULTS = { suffix: 'localhost', httpPort: 8080 };

export async function bringUp(
  options: UpOptions,
  context: BringUpContext,
): Promise<RunningInstallation> {
  return await withInstallationLock(options.name, context.say, async () => {
    const httpsPort = options.httpsPort ?? (options.httpPort === 80 ? HTTPS_PORT : 0);
    const request = { ...DEFAULTS, ...options, httpsPort };
    const found = await findOrCreateInstallation(request, new SlotRegistry());
    const { paths } = found;
    refuseOtherSettings(options, found.installation);
    const installation = await keepSettings(options, found);
    await makeDirectories(installation, paths);
    const sandbox = installation.sandbox ?? 'crun';
    await prepareMachine(installation, sandbox, paths, context);
    const started = await startServices(options, sandbox, { installation, paths }, context);
    const status = await waitUntilHealthy(paths);
    return { installation, paths, started, status };
  });
}

/** They are in the names and routes of what runs; silently keeping the old ones would mislead. */
function refuseOtherSettings(options: UpOptions, installation: Installation): void {
  const { sandbox = 'crun', httpsPort = options.httpsPort } = installation;
  const current = { ...installation, sandbox, httpsPort };
  for (const key of ['suffix', 'httpPort', 'httpsPort', 'sandbox'] as const) {
    if (options[key] === undefined || options[key] === current[key]) continue;
    throw new TandemError(
      'USAGE',
      `Installation ${installation.name} has ${key} ${current[key]}, not ${options[key]}.`,
      {
        hint: `script/down --purge --installation ${installation.name}   deletes it; or take another name`,
      },
    );
  }
}

/** Those that may change; the daemons that they concern are started anew with them. */
async function keepSettings(
  options: UpOptions,
  { installation, paths }: { installation: Installation; paths: Paths },
): Promise<Installation> {
  const certificates = mergeCertificateSettings(installation.certificates, options.certificates);
  const httpsPort = installation.httpsPort ?? options.httpsPort ?? 0;
  const changed = {
    ...installation,
    ...(Object.keys(certificates).length > 0 || installation.certificates ? { certificates } : {}),
    ...(httpsPort === 0 ? {} : { httpsPort }),
  };
  if (isDeepStrictEqual(changed, installation)) return installation;
  await writeInstallation(paths, changed);
  return changed;
}

async function makeDirectories({ slot }: Installation, paths: Paths): Promise<void> {
  // Unprivileged daemons pass through to their own sockets and trees; they cannot list.
  await mkdir(paths.data, { recursive: true, mode: 0o711 });
  await ensureRunDirectory(paths.run);
  for (const path of [paths.data, paths.run]) {
    await letThrough(dirname(path));
    await letThrough(path);
  }
  const balancerOnly = [balancerState(paths), balancerSecrets(paths)];
  const platformOnly = [platformLogs(paths), superviseDirectory(paths)];
  for (const path of [...platformOnly, ...balancerOnly])
    await mkdir(path, { recursive: true, mode: 0o700 });
  const balancerUid = platformUid(slot, PLATFORM_UID.balancer);
  for (const path of balancerOnly) await chown(path, balancerUid, balancerUid);
}

async function prepareMachine(
  installation: Installation,
  sandbox: SandboxKind,
  paths: Paths,
  { say }: BringUpContext,
): Promise<void> {
  const options = { cacheDirectory: paths.stackCache, onProgress: say };
  for (const kind of STACK_KINDS) await ensureStack(kind, options);
  if (sandbox === 'crun') await createInstanceNetwork({ installation }).ensureNetwork();
}

async function startServices(
  options: UpOptions,
  sandbox: SandboxKind,
  { installation, paths }: { installation: Installation; paths: Paths },
  { checkout, environment }: BringUpContext,
): Promise<string[]> {
  const supervisor = new Supervisor({
    scanDirectory: superviseDirectory(paths),
    logDirectory: platformLogs(paths),
    env: { ...daemonEnvironment(environment, checkout), [MARK_VARIABLE]: installation.id },
    cgroup: daemonCgroup(installation),
  });
  return await supervisor.ensure(
    servicesOf({
      installation,
      paths,
      roots: { data: options.dataRoot, run: options.runRoot },
      sandbox,
      checkout,
      balancers: balancerCount(),
      staticServer: await prepareStaticServer(installation, paths),
    }),
  );
}

async function waitUntilHealthy(paths: Paths): Promise<PlatformStatus> {
  const client = new ControlClient(controlSocket(paths));
  let status: PlatformStatus | undefined;
  const healthy = await waitFor(async () => {
    status = await client.status().catch(() => undefined);
    return status?.healthy ?? false;
  }, HEALTHY_TIMEOUT_MS);
  if (healthy && status) return status;
  const parts = status?.components.map(({ name, state, detail }) => `${name}: ${state} ${detail}`);
  throw new TandemError('MACHINE_UNFIT', parts?.join('\n') ?? 'The agent does not answer.', {
    log: platformLogs(paths),
    hint: 'tandem doctor',
  });
}
