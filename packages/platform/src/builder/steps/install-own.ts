// Installs a lock for one app: packages are built where they have no wheel, paths of the source where
// they lie. Runs as the app's own build, with its config.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../../domain/release.ts';
import { mountOf, workMounts, type BuildSession, type StepResult } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import { finding } from '../detect/evidence.ts';
import {
  installArgs,
  installFailure,
  prepareInstall,
  type DependencyRequest,
} from './install-request.ts';
import { namesIn, parseLock } from './lock.ts';
import { oldSetuptools, wantsOldSetuptools } from './old-setuptools.ts';
import { apart, buildNeedsModule, failedItself } from './own-build.ts';
import { layersOn, uvEnvWith } from './toolchain.ts';

/** Resolves to what there is to say about it. */
export async function installOwn(
  options: BuilderOptions,
  session: BuildSession,
  request: DependencyRequest,
): Promise<Finding[]> {
  await session.log.say('not all packages are public wheels: building for this app alone');
  const work = await prepareInstall(session, request, session.request.buildUid);
  const run = await ownRun(options, session, request, work);
  const args = installArgs(request.lock, '/build/lock.txt', []);
  let result = await run('install-own', args, {});
  if (result.exit.code !== 0 && wantsOldSetuptools(result.logTail)) {
    await session.log.say('a package is older than its build tools; again, with older ones');
    result = await run('install-old', args, await oldSetuptools(work, result.logTail));
  }
  if (result.exit.code !== 0 && buildNeedsModule(result.logTail)) {
    await session.log.say('its build imports what it depends on; again, with that installed first');
    result = await installUnisolated(run, request, work);
  }
  if (result.exit.code === 0) return [];
  const { paths, rest } = apart(request.lock.text);
  if (request.itself === 'needed' || !failedItself(result.logTail, paths)) {
    throw installFailure(request, result);
  }
  return await installWithout(session, run, request, { work, rest });
}

/** Of a project that works from its source. */
async function installWithout(
  session: BuildSession,
  run: OwnRun,
  request: DependencyRequest,
  { work, rest }: { readonly work: string; readonly rest: string },
): Promise<Finding[]> {
  await session.log.say('the project itself cannot be built; it is imported from its source');
  await writeFile(join(work, 'rest.txt'), rest, { mode: 0o644 });
  const result = await run('install-rest', installArgs(parseLock(rest), '/build/rest.txt', []), {});
  if (result.exit.code !== 0) throw installFailure(request, result);
  const why = 'its build fails, and nothing was found that needs it installed';
  return [finding('install', 'not itself', why, request.file)];
}

type OwnRun = (
  name: string,
  args: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
) => Promise<StepResult>;

/** As the app's own build, with its config and what lies beside it. */
async function ownRun(
  options: BuilderOptions,
  session: BuildSession,
  { toolchain, ground, lock, indexes, cwd }: DependencyRequest,
  work: string,
): Promise<OwnRun> {
  const stack = await ground.building(namesIn(lock));
  return (name, args, env) =>
    session.run({
      name,
      layers: layersOn(stack, toolchain.interpreterLayer),
      args,
      env: { ...uvEnvWith(options, indexes), ...env },
      cwd,
      uid: session.request.buildUid,
      mounts: [
        ...workMounts(work, options.uvPath),
        mountOf(session.disk.venv, '/venv', false),
        mountOf(session.disk.source, '/app', false),
      ],
      network: true,
    });
}

/** First the rest, then what the project is built with beside the virtualenv, then the project. */
async function installUnisolated(
  run: OwnRun,
  { lock, buildRequirements }: DependencyRequest,
  work: string,
): Promise<StepResult> {
  const { paths, rest } = apart(lock.text);
  await writeFile(join(work, 'rest.txt'), rest, { mode: 0o644 });
  await writeFile(join(work, 'paths.txt'), paths, { mode: 0o644 });
  const steps = [
    ['install-rest', installArgs(parseLock(rest), '/build/rest.txt', [])],
    ['install-backend', backendArgs(buildRequirements)],
    [
      'install-unisolated',
      installArgs(parseLock(paths), '/build/paths.txt', ['--no-build-isolation']),
    ],
  ] as const;
  let result: StepResult | undefined;
  for (const [name, args] of steps) {
    result = await run(
      name,
      args,
      name === 'install-unisolated' ? { PYTHONPATH: '/build/backend' } : {},
    );
    if (result.exit.code !== 0) break;
  }
  if (result === undefined) throw new Error('there is no step');
  return result;
}

function backendArgs(requirements: readonly string[]): [string, ...string[]] {
  const target = ['--python', '/venv/bin/python', '--target', '/build/backend'];
  return ['/build/bin/uv', 'pip', 'install', ...target, ...requirements];
}
