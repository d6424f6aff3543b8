// Which certificate answers a server name (SNI): exact, then the wildcard one label above, then the
// default. Two map look-ups, however many names there are.
import { wildcardAbove } from '../hostname.ts';

interface Claim<T> {
  readonly id: string;
  readonly certificate: T;
}

export class CertificateChoice<T> {
  /** The last claim of a name has it; those before get it back when that one goes. */
  readonly #claims = new Map<string, readonly Claim<T>[]>();
  readonly #names = new Map<string, readonly string[]>();
  /** For clients that name no server, and for names nobody has. */
  fallback: T | undefined;

  /** Replaces what `id` stood for. */
  set(id: string, names: readonly string[], certificate: T): void {
    this.delete(id);
    const own = [...new Set(names)];
    this.#names.set(id, own);
    for (const name of own)
      this.#claims.set(name, [...(this.#claims.get(name) ?? []), { id, certificate }]);
  }

  delete(id: string): void {
    for (const name of this.#names.get(id) ?? []) {
      const others = (this.#claims.get(name) ?? []).filter((claim) => claim.id !== id);
      if (others.length > 0) this.#claims.set(name, others);
      else this.#claims.delete(name);
    }
    this.#names.delete(id);
  }

  choose(serverName: string | undefined): T | undefined {
    if (serverName === undefined) return this.fallback;
    const name = serverName.toLowerCase().replace(/\.$/, '');
    const above = wildcardAbove(name);
    const claims =
      this.#claims.get(name) ?? (above === undefined ? undefined : this.#claims.get(above));
    return claims?.at(-1)?.certificate ?? this.fallback;
  }
}
