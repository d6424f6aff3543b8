// A Python app: dependencies, front ends, then one process that imports the project, reports facts and
// collects static files. Independent work runs side by side: layers are packed while the project is
// prepared, and the web server is fetched meanwhile.
import type { BuiltImage, Finding, ReleaseLayers } from '../domain/release.ts';
import type { LayerRef } from '../ports/image-store.ts';
import type { BuildContext } from './build-context.ts';
import { driverFor, usesPostgresql } from './database-driver.ts';
import { applicationOf, describeImage } from './describe-image.ts';
import { declaredIndexes } from './detect/dependencies/declared-indexes.ts';
import type { Detection } from './detect/detect.ts';
import { insideApp } from './detect/source-tree.ts';
import { projectEvidence } from './diagnosis/project-evidence.ts';
import { buildFrontEnds, NO_FRONT_END, type FrontEnds } from './node/front-end.ts';
import { packCode } from './pack-code.ts';
import { mentionOfRedis } from './redis-need.ts';
import { serverOf } from './server-command.ts';
import { additionLayer, type AdditionName } from './steps/addition-layer.ts';
import { runBuildCommands } from './steps/build-commands.ts';
import { bundleConfigEnv } from './steps/bundle-config.ts';
import { dependencyLayer, type Dependencies } from './steps/dependency-layer.ts';
import { namesIn, versionIn, type Lock } from './steps/lock.ts';
import { forgottenNeeds } from './steps/forgotten-need.ts';
import { makeFiles } from './steps/make-files.ts';
import { nextSettings } from './steps/next-settings.ts';
import { writeOverlay } from './steps/overlay-files.ts';
import { buildRequirements } from './steps/own-build.ts';
import { pathsKey } from './steps/paths-key.ts';
import { prepareCode, type PrepareRequest } from './steps/prepare-code.ts';
import { indexesOf, resolveLock } from './steps/resolve.ts';
import { runtimeLayer } from './steps/runtime-layer.ts';
import { setuptoolsNeed } from './steps/setuptools-need.ts';
import { layersOn, type Toolchain } from './steps/toolchain.ts';

export async function buildPythonApp(
  context: BuildContext,
  toolchain: Toolchain,
  detection: Detection,
): Promise<BuiltImage> {
  return await new PythonApp(context, toolchain).build(detection);
}

type BuiltParts = Pick<PrepareRequest, 'layers' | 'venv' | 'evidence' | 'mounts'>;

interface Resolved {
  readonly lock: Lock | undefined;
  readonly dependencies: Dependencies | undefined;
  readonly system: LayerRef | undefined;
}

class PythonApp {
  readonly #context: BuildContext;
  readonly #toolchain: Toolchain;
  readonly #lateFindings: Finding[] = [];

  constructor(context: BuildContext, toolchain: Toolchain) {
    this.#context = context;
    this.#toolchain = toolchain;
  }

  async build(detection: Detection): Promise<BuiltImage> {
    const resolved = await this.#dependencies(detection);
    const frontEnds = await this.#frontEnds(detection);
    return await this.#context.session.report('code', async () => {
      const value = await this.#code(detection, resolved, frontEnds);
      const files = value.staticFiles ? `, ${value.staticFiles.fileCount} static files` : '';
      return { value, detail: `${value.layers.code.sha256.slice(0, 6)}${files}` };
    });
  }

  /** What only the lock shows; the rest was said when it was detected. */
  #found(detection: Detection, findings: readonly Finding[]): void {
    const known = new Set(detection.findings.map(({ value }) => value));
    for (const one of findings.filter(({ value }) => !known.has(value))) {
      this.#lateFindings.push(one);
      this.#context.session.request.progress.finding(one);
    }
  }

  async #frontEnds(detection: Detection): Promise<FrontEnds> {
    const { nodeBuilds } = detection;
    if (nodeBuilds.length === 0) return NO_FRONT_END;
    return await this.#context.session.report('node', async () => {
      const value = await buildFrontEnds(this.#context, nodeBuilds);
      this.#found(detection, value.findings);
      return { value, detail: value.detail };
    });
  }

  async #dependencies(detection: Detection): Promise<Resolved> {
    const { options, session, tree, ground } = this.#context;
    const toolchain = this.#toolchain;
    const source = detection.dependencies;
    return await session.report<Resolved>('dependencies', async () => {
      const request = { source, tree, toolchain, ground };
      const lock = await resolveLock(options, session, request);
      if (lock === undefined || lock.isEmpty) {
        const system = await ground.running([], false);
        this.#found(detection, system.findings);
        return { value: { lock, dependencies: undefined, system: system.layer }, detail: 'none' };
      }
      const dependencies = await dependencyLayer(options, session, {
        lock,
        toolchain,
        file: source.files[0] ?? '',
        lines: source.lines,
        declared: declaredIndexes(tree, source.directory),
        indexes: indexesOf(session, source, tree),
        cwd: insideApp(source.directory),
        paths: await pathsKey(session, source, tree),
        ground,
        itself: source.installReason === undefined ? 'optional' : 'needed',
        buildRequirements: buildRequirements(tree, source.member?.directory ?? source.directory),
      });
      void this.#context.inBackground(dependencies.layer);
      const system = await ground.running(namesIn(lock), !dependencies.shared);
      this.#found(detection, [...system.findings, ...dependencies.findings]);
      const kept = dependencies.cached ? ', kept' : '';
      const value = { lock, dependencies, system: system.layer };
      return { value, detail: `${lock.packages.length} packages${kept}` };
    });
  }

  async #code(
    detected: Detection,
    { lock, dependencies, system }: Resolved,
    frontEnds: FrontEnds,
  ): Promise<BuiltImage> {
    const { options, session, tree } = this.#context;
    const toolchain = this.#toolchain;
    const runtime = await runtimeLayer(options, session, toolchain);
    const question = { lock, dependencies, toolchain };
    const setuptools = await setuptoolsNeed(options, session, question);
    const forgotten = await forgottenNeeds(options, session, question);
    const added = await this.#add(setuptools && 'setuptools', lock);
    for (const { name } of forgotten) added.push(...(await this.#add(name, lock)));
    const driver = await this.#add(driverFor(detected, lock), lock);
    const guess = applicationOf(detected, undefined)?.kind ?? 'wsgi';
    const guessed = this.#context.inBackground(this.#add(serverFor(detected, lock, guess), lock));
    // Its commands have the address of the build, which one step at a time may use.
    if (detected.config.build !== undefined) await guessed;
    // Prepared on the virtualenv as it lies there, while that is still being packed.
    const venv = dependencies?.directory;
    const packed = venv === undefined ? present(await dependencies?.layer) : [];
    const ground = [toolchain.stack.layer, ...present(system)];
    const base = layersOn(ground, toolchain.interpreterLayer);
    const layers = [...base, ...packed, ...added, ...driver, runtime];
    // Read now: the project's own code may change its files.
    const evidence = projectEvidence(tree, detected, lock);
    const built = { layers, venv, evidence, mounts: frontEnds.mounts };
    const { detection, env, report } = await this.#prepare(detected, built);
    const code = this.#context.inBackground(packCode(this.#context, frontEnds.leftOut));
    const kind = applicationOf(detection, report)?.kind ?? guess;
    // Awaited in any case: two steps of a build must not use its address at once.
    const ready = await guessed;
    const server = kind === guess ? ready : await this.#add(serverFor(detection, lock, kind), lock);
    const [interpreter] = present(toolchain.interpreterLayer);
    const [dependencyLayer] = present(await dependencies?.layer);
    const release: ReleaseLayers = {
      stack: toolchain.stack.layer,
      ...(system ? { system } : {}),
      ...(interpreter ? { interpreter } : {}),
      ...(dependencyLayer ? { dependencies: dependencyLayer } : {}),
      additions: [...server, ...added, ...(usesPostgresql(detection, report) ? driver : [])],
      runtime,
      code: await code,
    };
    const { config } = session.request;
    const whole = { ...detection.config.env, ...env };
    const redisMention = mentionOfRedis(tree, detection.root);
    const facts = { detection, report, lock, config, redisMention };
    const image = describeImage({ ...facts, layers: release, env: whole });
    const late = [
      ...this.#lateFindings,
      ...present(setuptools),
      ...forgotten.map((one) => one.finding),
    ];
    return { ...image, findings: [...image.findings, ...late] };
  }

  /** A settings module that needs what is not installed gives way to the next one. */
  async #prepare(detected: Detection, built: BuiltParts) {
    const { session } = this.#context;
    const { disk, request } = session;
    await makeFiles(disk.source, detected.madeFiles, request.buildUid);
    let first: unknown;
    for (let detection = detected, attempt = 1; ; attempt += 1) {
      const { settings } = detection;
      // Without the overlay its WSGI module may still be needed.
      if (settings !== undefined) await writeOverlay(disk.overlay, settings.name);
      const env = imageEnv(detection, usesOverlay(detection));
      try {
        const prepared = { detection, ...built, imageEnv: env, attempt };
        if (attempt === 1) await runBuildCommands(session, prepared);
        return { detection, env, report: await prepareCode(session, prepared) };
      } catch (error) {
        // What the first one lacks is the answer when no other will do.
        first ??= error;
        const next = nextSettings(detection, error);
        if (next === undefined) throw first;
        await session.log.say(`settings: ${next.settings?.name} instead`);
        detection = next;
      }
    }
  }

  async #add(name: AdditionName | undefined, lock: Lock | undefined): Promise<LayerRef[]> {
    if (name === undefined) return [];
    const { options, session } = this.#context;
    const toolchain = this.#toolchain;
    return [await additionLayer(options, session, { name, toolchain, lock })];
  }
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function usesOverlay(detection: Detection): boolean {
  const { settings, config } = detection;
  return settings !== undefined && config.overlay !== false && !settings.configurations;
}

function imageEnv(detection: Detection, overlay: boolean): Record<string, string> {
  const { settings } = detection;
  const module = overlay ? 'tandem_settings' : settings?.name;
  const [, ...beside] = detection.pythonPath.map((directory) => insideApp(directory));
  return {
    ...(module === undefined ? {} : { DJANGO_SETTINGS_MODULE: module }),
    ...(beside.length === 0 ? {} : { PYTHONPATH: beside.join(':') }),
    ...detection.variables.constants,
    ...bundleConfigEnv(detection),
    // As in the images that many projects are written for; some show it on a page.
    PYTHON_VERSION: detection.pythonVersion,
    // For servers that the project starts itself: a committed gunicorn.conf.py does not move them.
    GUNICORN_CMD_ARGS: '--bind=[::]:8000 --worker-tmp-dir=/dev/shm --forwarded-allow-ips=*',
    FORWARDED_ALLOW_IPS: '*',
  };
}

function serverFor(
  detection: Detection,
  lock: Lock | undefined,
  kind: 'wsgi' | 'asgi',
): AdditionName | undefined {
  const own = detection.named.processes['web'];
  const server = own ? serverOf(own.command) : kind === 'wsgi' ? 'gunicorn' : 'uvicorn';
  return server === undefined || versionIn(lock, server) !== undefined ? undefined : server;
}
