// A build from archive to image: unpack, detect, then what kind of app it is decides.
import type { BuiltImage } from '../domain/release.ts';
import type { BuildRequest } from '../ports/builder.ts';
import type { BuildContext } from './build-context.ts';
import { BuildSession } from './build-session.ts';
import type { BuilderOptions } from './collaborators.ts';
import { frameworkOf } from './describe-image.ts';
import { detectOnNode } from './detect-on-node.ts';
import type { Detection } from './detect/detect.ts';
import { linkedTree } from './detect/linked-tree.ts';
import { diskTree } from './detect/source-tree.ts';
import { namingTheFullDisk } from './diagnosis/full-disk.ts';
import { buildNodeApp } from './node/build-node-app.ts';
import { buildPythonApp } from './python-app.ts';
import { buildSite } from './static-site.ts';
import { assertNoBuildCommands } from './steps/build-commands.ts';
import { makeLinks } from './steps/make-links.ts';
import { openToolchain, sharedUidOf } from './steps/toolchain.ts';
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

class Build {
  readonly #options: BuilderOptions;
  readonly #session: BuildSession;
  readonly #background: Promise<unknown>[] = [];

  constructor(options: BuilderOptions, session: BuildSession) {
    this.#options = options;
    this.#session = session;
  }

  async run(): Promise<BuiltImage> {
    await this.#unpack();
    const detection = await this.#detect();
    const { disk, request } = this.#session;
    await makeLinks(disk.source, detection.links, request.buildUid);
    const context = this.#contextOf(detection);
    const { nodeApp, isSite } = detection;
    if (nodeApp !== undefined || isSite) assertNoBuildCommands(detection);
    if (nodeApp !== undefined) return await buildNodeApp(context, { ...detection, nodeApp });
    const toolchain = await openToolchain(this.#options, detection.pythonVersion);
    return isSite
      ? await buildSite(context, toolchain, detection)
      : await buildPythonApp(context, toolchain, detection);
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
    const { config, progress } = this.#session.request;
    return await this.#session.report('detect', async () => {
      const tree = diskTree(this.#session.disk.source);
      const value = await detectOnNode(this.#options, tree, config);
      for (const one of value.findings) progress.finding(one);
      const framework = frameworkOf(value);
      const python = value.isSite || value.nodeApp ? '' : `, Python ${value.pythonVersion}`;
      return { value, detail: `${framework}${python}` };
    });
  }

  #contextOf({ systemPackages, links }: Detection): BuildContext {
    const options = this.#options;
    const session = this.#session;
    const sharedUid = sharedUidOf(options);
    return {
      options,
      session,
      // With the links of the configuration, which are made by now.
      tree: linkedTree(diskTree(session.disk.source), links),
      ground: new BuildGround(options, session, systemPackages, sharedUid),
      sharedUid,
      inBackground: (work) => this.#inBackground(work),
    };
  }

  /** Its failure is the build's once somebody awaits it; until then it must not crash the agent. */
  #inBackground<T>(work: Promise<T>): Promise<T> {
    this.#background.push(work.catch(() => undefined));
    return work;
  }
}
