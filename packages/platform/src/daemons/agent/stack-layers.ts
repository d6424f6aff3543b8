// Stacks as layers of this node: found or built in the machine's cache, admitted once.
import { ensureStack, type Stack } from '../../adapters/stacks/ensure-stack.ts';
import type { StackKind } from '../../adapters/stacks/recipe.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import type { BuildStack, BuildStacks } from '../../builder/collaborators.ts';
import type { ImageStore, LayerRef } from '../../ports/image-store.ts';

export class StackLayers implements BuildStacks {
  readonly #cacheDirectory: string;
  readonly #imageStore: ImageStore;
  readonly #known = new Map<StackKind, BuildStack>();
  readonly #mutex = new KeyedMutex();

  constructor(cacheDirectory: string, imageStore: ImageStore) {
    this.#cacheDirectory = cacheDirectory;
    this.#imageStore = imageStore;
  }

  async stack(kind: StackKind): Promise<BuildStack> {
    return await this.#mutex.run(kind, async () => {
      const known = this.#known.get(kind);
      if (known) return known;
      const stack = await ensureStack(kind, { cacheDirectory: this.#cacheDirectory });
      const layer = await this.#admit(stack);
      await this.#imageStore.mount(layer.sha256);
      const built = { name: stack.name, layer };
      this.#known.set(kind, built);
      return built;
    });
  }

  layers(): readonly LayerRef[] {
    return [...this.#known.values()].map((stack) => stack.layer);
  }

  async #admit(stack: Stack): Promise<LayerRef> {
    const present = (await this.#imageStore.list()).find(({ sha256 }) => sha256 === stack.sha256);
    return present ?? (await this.#imageStore.admit(stack.file, stack.sha256));
  }
}
