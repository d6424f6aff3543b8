// What the archive has made so far, in memory. Decisions are taken on this model and never on the
// disk, so nothing that an earlier entry put there can redirect a later one.
import { unsafeLink, unsafePath } from './entry-rules.ts';

const LINKS_FOLLOWED_MAX = 40;

type Node = { readonly kind: 'directory' | 'file' } | { readonly kind: 'link'; target: string };

export class TreeModel {
  readonly #nodes = new Map<string, Node>();

  get size(): number {
    return this.#nodes.size;
  }

  kindOf(path: string): Node['kind'] | undefined {
    return path === '' ? 'directory' : this.#nodes.get(path)?.kind;
  }

  /** Directories that must be made before `path`, outermost first. Throws if a link is in the way. */
  missingParents(path: string): string[] {
    const missing: string[] = [];
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const parent = parts.slice(0, depth).join('/');
      const kind = this.kindOf(parent);
      if (kind === 'link') throw unsafeLink(parent, this.#targetOf(parent), `leads to "${path}"`);
      if (kind === 'file') throw unsafePath(path, `lies below the file "${parent}"`);
      if (kind === undefined) missing.push(parent);
    }
    return missing;
  }

  addDirectory(path: string): void {
    this.#refuseOtherKind(path, 'directory');
    this.#nodes.set(path, { kind: 'directory' });
  }

  addFile(path: string): void {
    this.#refuseOtherKind(path, 'file');
    this.#nodes.set(path, { kind: 'file' });
  }

  addLink(path: string, target: string): void {
    this.#refuseOtherKind(path, 'link');
    this.#nodes.set(path, { kind: 'link', target });
  }

  links(): { path: string; target: string }[] {
    return [...this.#nodes].flatMap(([path, node]) =>
      node.kind === 'link' ? [{ path, target: node.target }] : [],
    );
  }

  /** Follows every link as the kernel would and throws for one that ever climbs above the tree. */
  checkLinks(): void {
    for (const { path, target } of this.links()) this.#follow(path, target);
  }

  #follow(path: string, target: string): void {
    const at = path.split('/').slice(0, -1);
    const pending = target.split('/');
    if (target.startsWith('/')) throw unsafeLink(path, target, 'is absolute');
    let followed = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (at.pop() === undefined) throw unsafeLink(path, target, 'leaves the source tree');
        continue;
      }
      const node = this.#nodes.get([...at, part].join('/'));
      if (node?.kind !== 'link') {
        at.push(part);
        continue;
      }
      followed += 1;
      if (followed > LINKS_FOLLOWED_MAX) throw unsafeLink(path, target, 'goes round in circles');
      if (node.target.startsWith('/')) throw unsafeLink(path, target, 'leads to an absolute link');
      pending.unshift(...node.target.split('/'));
    }
  }

  #targetOf(path: string): string {
    const node = this.#nodes.get(path);
    return node?.kind === 'link' ? node.target : '';
  }

  #refuseOtherKind(path: string, kind: Node['kind']): void {
    const before = this.kindOf(path);
    if (before === undefined || before === kind) return;
    throw unsafePath(path, `is a ${before} first and a ${kind} later`);
  }
}
