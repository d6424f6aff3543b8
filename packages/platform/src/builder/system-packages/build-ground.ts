// What the steps of a build stand on below the interpreter: the stack with the packages that the app
// needs to run, or the stack with compilers and the packages that it needs to be built.
import { TandemError } from '@tandem/protocol';
import type { Finding } from '../../domain/release.ts';
import { finding } from '../detect/evidence.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { BuildSession } from '../build-session.ts';
import type { BuilderOptions } from '../collaborators.ts';
import type { SystemPackageWishes } from '../detect/system-packages.ts';
import type { PackageSpec } from './package-spec.ts';
import { leftOutOf, systemLayer } from './system-layer.ts';
import { systemNeeds } from './system-needs.ts';

export interface RunningGround {
  /** Undefined when the stack is enough. */
  readonly layer: LayerRef | undefined;
  readonly packageCount: number;
  readonly findings: readonly Finding[];
}

export class BuildGround {
  readonly #options: BuilderOptions;
  readonly #session: BuildSession;
  readonly #wishes: SystemPackageWishes;
  readonly #uid: number;

  constructor(
    options: BuilderOptions,
    session: BuildSession,
    wishes: SystemPackageWishes,
    uid: number,
  ) {
    this.#options = options;
    this.#session = session;
    this.#wishes = wishes;
    this.#uid = uid;
  }

  /** `names`: all distributions that are installed. */
  async running(names: readonly string[], fromSource: boolean): Promise<RunningGround> {
    const needs = systemNeeds({ ...this.#request(names), fromSource });
    const layer = await this.#layer('base', needs.running);
    const findings = [...needs.findings, ...(await this.#leftOut(needs.running, layer))];
    return { layer, packageCount: needs.running.length, findings };
  }

  /** Of a Dockerfile for another Debian. */
  async #leftOut(packages: readonly PackageSpec[], layer: LayerRef | undefined) {
    const stack = await this.#options.stacks.stack('base');
    const missing = await leftOutOf(this.#options, { stack, packages }, layer);
    return missing.map(({ name, evidence }) =>
      finding('system packages', `without ${name}`, 'Debian 12 has no such package', evidence),
    );
  }

  /** What a compiler finds when it builds one of `names`. */
  async building(names: readonly string[]): Promise<LayerRef[]> {
    const { building } = systemNeeds({ ...this.#request(names), fromSource: true });
    const stack = await this.#options.stacks.stack('build');
    const layer = await this.#layer('build', building);
    return layer === undefined ? [stack.layer] : [stack.layer, layer];
  }

  /** Part of the keys of what is built on `building`. */
  buildingKey(names: readonly string[]): readonly string[] {
    const { building } = systemNeeds({ ...this.#request(names), fromSource: true });
    return building.map(({ text }) => text).sort();
  }

  #request(names: readonly string[]) {
    const { asked, wished, signs, automatic } = this.#wishes;
    return { asked, wished, automatic, names: [...names, ...signs] };
  }

  /** What nobody asked for must not fail a deploy because a mirror is away. */
  async #layer(
    kind: 'base' | 'build',
    packages: readonly PackageSpec[],
  ): Promise<LayerRef | undefined> {
    const stack = await this.#options.stacks.stack(kind);
    try {
      return await systemLayer(this.#options, this.#session, { stack, packages, uid: this.#uid });
    } catch (error) {
      const { asked } = this.#wishes;
      if (!isUnreachable(error) || packages.some((one) => asked.includes(one))) throw error;
      await this.#session.log.say(`${error.message} Going on without system packages.`);
      return undefined;
    }
  }
}

function isUnreachable(error: unknown): error is TandemError {
  return error instanceof TandemError && error.code === 'REGISTRY_UNREACHABLE';
}
