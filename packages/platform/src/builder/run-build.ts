// The build, step by step. Independent work runs side by side: layers are packed while the project
// is prepared, and the web server is fetched meanwhile.
import type { BuiltImage, Finding, ReleaseLayers } from '../domain/release.ts';
import type { BuildRequest } from '../ports/builder.ts';
import type { LayerRef } from '../ports/image-store.ts';
import { BuildSession } from './build-session.ts';
import type { BuilderOptions } from './collaborators.ts';
import { applicationOf, describeImage, frameworkOf } from './describe-image.ts';
import { detect, type Detection } from './detect/detect.ts';
import { linkedTree } from './detect/linked-tree.ts';
import { diskTree, under, type SourceTree } from './detect/source-tree.ts';
import { namingTheFullDisk } from './diagnosis/full-disk.ts';
import { mentionOfRedis } from './redis-need.ts';
import { projectEvidence } from './diagnosis/project-evidence.ts';
import { bundleConfigEnv } from './steps/bundle-config.ts';
import { driverFor, usesPostgresql } from './database-driver.ts';
import { buildNodeApp } from './node/build-node-app.ts';
import {
  buildFrontEnds,
  NO_FRONT_END,
  type FrontEnds,
  type NodeContext,
} from './node/front-end.ts';
import { additionLayer, type AdditionName } from './steps/addition-layer.ts';
import { dependencyLayer, type Dependencies } from './steps/dependency-layer.ts';
import { namesIn, versionIn, type Lock } from './steps/lock.ts';
import { writeOverlay } from './steps/overlay-files.ts';
import { makeLinks } from './steps/make-links.ts';
import { makeFiles } from './steps/make-files.ts';
import { prepareCode, type PrepareRequest } from './steps/prepare-code.ts';
import { nextSettings } from './steps/next-settings.ts';
import type { PrepareReport } from './steps/prepare-report.ts';
import { pathsKey } from './steps/paths-key.ts';
import { indexesOf, resolveLock } from './steps/resolve.ts';
import { setuptoolsNeed } from './steps/setuptools-need.ts';
import { runtimeLayer } from './steps/runtime-layer.ts';
import { serverOf } from './server-command.ts';
import { layersOn, openToolchain, sharedUidOf, type Toolchain } from './steps/toolchain.ts';
import { BuildGround } from './system-packages/build-ground.ts';
import { unpackArchive } from './unpack/unpack-archive.ts';

export async function runBuild(
  options: BuilderOptions,
  request: BuildRequest,
): Promise<BuiltImage> {
  const session = await BuildSession.open(options, request);
  const build = new Build(options, session);
  try {
    const image = await build.run();
    await build.settle();
    return { ...image, buildLayers: session.kept };
  } catch (error) {
    throw await namingTheFullDisk(error, options.paths.data);
  } finally {
    // Nothing may read or write the disk any more when it goes.
    await build.settle();
    await session.close();
  }
}

type BuiltParts = Pick<PrepareRequest, 'layers' | 'venv' | 'evidence' | 'mounts'>;

interface Resolved {
  readonly lock: Lock | undefined;
  readonly dependencies: Dependencies | undefined;
  readonly system: LayerRef | undefined;
}

class Build {
  readonly #options: BuilderOptions;
  readonly #session: BuildSession;
  /** With the links of the configuration, once they are made. */
  #tree: SourceTree;
  readonly #background: Promise<unknown>[] = [];
  readonly #lateFindings: Finding[] = [];

  constructor(options: BuilderOptions, session: BuildSession) {
    this.#options = options;
    this.#session = session;
    this.#tree = diskTree(session.disk.source);
  }

  async run(): Promise<BuiltImage> {
    await this.#unpack();
    const detection = await this.#detect();
    await makeLinks(this.#session.disk.source, detection.links, this.#session.request.buildUid);
    this.#tree = linkedTree(this.#tree, detection.links);
    const { nodeApp } = detection;
    if (nodeApp !== undefined) {
      return await buildNodeApp(this.#nodeContext(detection), { ...detection, nodeApp });
    }
    const toolchain = await openToolchain(this.#options, detection.pythonVersion);
    if (detection.isSite) return await this.#site(detection, toolchain);
    const resolved = await this.#dependencies(detection, toolchain);
    const frontEnds = await this.#frontEnds(detection);
    return await this.#session.report('code', async () => {
      const value = await this.#code(detection, toolchain, resolved, frontEnds);
      const files = value.staticFiles ? `, ${value.staticFiles.fileCount} static files` : '';
      return { value, detail: `${value.layers.code.sha256.slice(0, 6)}${files}` };
    });
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.#background);
  }

  async #unpack(): Promise<void> {
    const { disk, request, signal } = this.#session;
    await this.#session.report('unpack', async () => {
      const { archivePath, buildUid } = request;
      const value = await unpackArchive({
        archivePath,
        directory: disk.source,
        uid: buildUid,
        signal,
      });
      return { value, detail: `${value.fileCount} files` };
    });
  }

  async #detect(): Promise<Detection> {
    const pythonVersions = this.#options.interpreters.map(({ version }) => version);
    const { config, progress } = this.#session.request;
    return await this.#session.report('detect', async () => {
      const value = detect(this.#tree, { pythonVersions, config });
      for (const one of value.findings) progress.finding(one);
      const framework = frameworkOf(value);
      const python = value.isSite || value.nodeApp ? '' : `, Python ${value.pythonVersion}`;
      return { value, detail: `${framework}${python}` };
    });
  }

  /** What only the lock shows; the rest was said when it was detected. */
  #found(detection: Detection, findings: readonly Finding[]): void {
    const known = new Set(detection.findings.map(({ value }) => value));
    for (const one of findings.filter(({ value }) => !known.has(value))) {
      this.#lateFindings.push(one);
      this.#session.request.progress.finding(one);
    }
  }

  #nodeContext(detection: Detection): NodeContext {
    const sharedUid = sharedUidOf(this.#options);
    const base = { options: this.#options, session: this.#session, tree: this.#tree, sharedUid };
    const inBackground = <T>(work: Promise<T>): Promise<T> => this.#inBackground(work);
    return { ...base, ground: this.#ground(detection), inBackground };
  }

  async #frontEnds(detection: Detection): Promise<FrontEnds> {
    const { nodeBuilds } = detection;
    if (nodeBuilds.length === 0) return NO_FRONT_END;
    return await this.#session.report('node', async () => {
      const value = await buildFrontEnds(this.#nodeContext(detection), nodeBuilds);
      return { value, detail: value.detail };
    });
  }

  #ground({ systemPackages }: Detection): BuildGround {
    const uid = sharedUidOf(this.#options);
    return new BuildGround(this.#options, this.#session, systemPackages, uid);
  }

  async #dependencies(detection: Detection, toolchain: Toolchain): Promise<Resolved> {
    const source = detection.dependencies;
    return await this.#session.report<Resolved>('dependencies', async () => {
      const tree = this.#tree;
      const ground = this.#ground(detection);
      const request = { source, tree, toolchain, ground };
      const lock = await resolveLock(this.#options, this.#session, request);
      if (lock === undefined || lock.isEmpty) {
        const system = await ground.running([], false);
        return { value: { lock, dependencies: undefined, system: system.layer }, detail: 'none' };
      }
      const dependencies = await dependencyLayer(this.#options, this.#session, {
        lock,
        toolchain,
        file: source.files[0] ?? '',
        lines: source.lines,
        indexes: indexesOf(this.#session, source, tree),
        cwd: under('/app', source.directory).replace(/\/$/, ''),
        paths: await pathsKey(this.#session, source, tree),
        ground,
      });
      void this.#inBackground(dependencies.layer);
      const system = await ground.running(namesIn(lock), !dependencies.shared);
      this.#found(detection, system.findings);
      const kept = dependencies.cached ? ', kept' : '';
      const value = { lock, dependencies, system: system.layer };
      return { value, detail: `${lock.packages.length} packages${kept}` };
    });
  }

  async #code(
    detected: Detection,
    toolchain: Toolchain,
    { lock, dependencies, system }: Resolved,
    frontEnds: FrontEnds,
  ): Promise<BuiltImage> {
    const runtime = await runtimeLayer(this.#options, this.#session, toolchain);
    const setuptools = await setuptoolsNeed(this.#options, this.#session, {
      lock,
      dependencies,
      toolchain,
    });
    const added = await this.#add(setuptools && 'setuptools', toolchain, lock);
    const driver = await this.#add(driverFor(detected, lock), toolchain, lock);
    const guess = applicationOf(detected, undefined)?.kind ?? 'wsgi';
    const guessed = this.#inBackground(
      this.#add(serverFor(detected, lock, guess), toolchain, lock),
    );
    // Prepared on the virtualenv as it lies there, while that is still being packed.
    const venv = dependencies?.directory;
    const packed = venv === undefined ? present(await dependencies?.layer) : [];
    const ground = [toolchain.stack.layer, ...present(system)];
    const base = layersOn(ground, toolchain.interpreterLayer);
    const layers = [...base, ...packed, ...added, ...driver, runtime];
    // Read now: the project's own code may change its files.
    const evidence = projectEvidence(this.#tree, detected, lock);
    const built = { layers, venv, evidence, mounts: frontEnds.mounts };
    const { detection, env, report } = await this.#prepare(detected, built);
    const code = this.#inBackground(this.#packCode(frontEnds.leftOut));
    const kind = applicationOf(detection, report)?.kind ?? guess;
    // Awaited in any case: two steps of a build must not use its address at once.
    const ready = await guessed;
    const server =
      kind === guess ? ready : await this.#add(serverFor(detection, lock, kind), toolchain, lock);
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
    const { config } = this.#session.request;
    const whole = { ...detection.config.env, ...env };
    const redisMention = mentionOfRedis(this.#tree, detection.root);
    const facts = { detection, report, lock, config, redisMention };
    const image = describeImage({ ...facts, layers: release, env: whole });
    const late = [...this.#lateFindings, ...present(setuptools)];
    return { ...image, findings: [...image.findings, ...late] };
  }

  /** Files only: nothing to import, install or run. */
  async #site(detection: Detection, toolchain: Toolchain): Promise<BuiltImage> {
    return await this.#session.report('code', async () => {
      const runtime = await runtimeLayer(this.#options, this.#session, toolchain);
      const code = await this.#packCode();
      const layers = { stack: toolchain.stack.layer, additions: [], runtime, code };
      const report: PrepareReport = { stage: 'done', notes: [] };
      const { config } = this.#session.request;
      const value = describeImage({ detection, report, lock: undefined, layers, env: {}, config });
      return {
        value,
        detail: `${code.sha256.slice(0, 6)}, ${detection.volume.sourceFiles.length} files`,
      };
    });
  }

  /** A settings module that needs what is not installed gives way to the next one. */
  async #prepare(detected: Detection, built: BuiltParts) {
    const { disk, request } = this.#session;
    await makeFiles(disk.source, detected.madeFiles, request.buildUid);
    let first: unknown;
    for (let detection = detected, attempt = 1; ; attempt += 1) {
      const { settings } = detection;
      // Without the overlay its WSGI module may still be needed.
      if (settings !== undefined) await writeOverlay(disk.overlay, settings.name);
      const env = imageEnv(detection, usesOverlay(detection));
      try {
        const prepared = { detection, ...built, imageEnv: env, attempt };
        return { detection, env, report: await prepareCode(this.#session, prepared) };
      } catch (error) {
        // What the first one lacks is the answer when no other will do.
        first ??= error;
        const next = nextSettings(detection, error);
        if (next === undefined) throw first;
        await this.#session.log.say(`settings: ${next.settings?.name} instead`);
        detection = next;
      }
    }
  }

  async #add(
    name: AdditionName | undefined,
    toolchain: Toolchain,
    lock: Lock | undefined,
  ): Promise<LayerRef[]> {
    if (name === undefined) return [];
    return [await additionLayer(this.#options, this.#session, { name, toolchain, lock })];
  }

  async #packCode(leftOut: readonly string[] = []): Promise<LayerRef> {
    const { disk, signal } = this.#session;
    const trees = [
      { directory: disk.source, prefix: '/app', exclude: ['.git', ...leftOut] },
      { directory: disk.staticFiles, prefix: '/static' },
      { directory: disk.overlay, prefix: '/opt/tandem/overlay' },
    ] as const;
    return await this.#options.imageStore.packTrees(trees, { signal });
  }

  /** Its failure is the build's once somebody awaits it; until then it must not crash the agent. */
  #inBackground<T>(work: Promise<T>): Promise<T> {
    this.#background.push(work.catch(() => undefined));
    return work;
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
    // For servers that the project starts itself: a committed gunicorn.conf.py does not move them.
    GUNICORN_CMD_ARGS: '--bind=[::]:8000 --worker-tmp-dir=/dev/shm --forwarded-allow-ips=*',
    FORWARDED_ALLOW_IPS: '*',
  };
}

function insideApp(directory: string): string {
  return under('/app', directory).replace(/\/$/, '');
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
