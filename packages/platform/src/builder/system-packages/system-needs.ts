// Which packages of the system an app needs: those that it names, and those that its Python packages
// are known to need. Pure.
import type { Finding } from '../../domain/release.ts';
import { finding } from '../detect/evidence.ts';
import { KNOWN_NEEDS, type KnownNeed } from './known-needs.ts';
import type { PackageSpec } from './package-spec.ts';

export interface SystemNeeds {
  /** What the app runs on. */
  readonly running: readonly PackageSpec[];
  /** What its packages are built on: those and headers. */
  readonly building: readonly PackageSpec[];
  /** Of what was not asked for by the project. */
  readonly findings: readonly Finding[];
}

export interface NeedsRequest {
  readonly asked: readonly PackageSpec[];
  /** Of a Dockerfile: what the app runs on, never what it is built with. */
  readonly wished?: readonly PackageSpec[];
  /** Distributions and what else the table knows (DJANGO_GIS). */
  readonly names: readonly string[];
  /** Some of them were built from source. */
  readonly fromSource: boolean;
  /** False: only what was asked for. */
  readonly automatic: boolean;
}

export function systemNeeds(request: NeedsRequest): SystemNeeds {
  const { asked, wished = [], names, fromSource, automatic } = request;
  const rows = automatic ? KNOWN_NEEDS.filter((row) => applies(row, names)) : [];
  const certain = rows.filter(({ when }) => when === 'always' || (when === 'source' && fromSource));
  const building = rows.filter(({ when }) => when !== 'maybe');
  const needed = merge(asked, certain, ({ packages }) => packages);
  const isNeeded = new Set(needed.map(({ name }) => name));
  return {
    running: [...needed, ...wished.filter(({ name }) => !isNeeded.has(name))],
    building: merge(needed, building, ({ packages, build = [] }) => [...packages, ...build]),
    findings: [
      ...certain.map((row) => explain(row, names)),
      ...rows.filter(({ when }) => when === 'maybe').map((row) => hint(row, names)),
    ],
  };
}

function applies({ python, unless = [] }: KnownNeed, names: readonly string[]): boolean {
  return python.some((name) => names.includes(name)) && !unless.some((one) => names.includes(one));
}

/** A version that the project asks for counts: a package that it names comes from nowhere else. */
function merge(
  asked: readonly PackageSpec[],
  rows: readonly KnownNeed[],
  packagesOf: (row: KnownNeed) => readonly string[],
): PackageSpec[] {
  const merged = new Map(asked.map((spec) => [spec.name, spec]));
  for (const row of rows) {
    for (const name of packagesOf(row)) {
      if (merged.has(name)) continue;
      const evidence = `needed by ${row.python.join(', ')}`;
      merged.set(name, { name, conditions: [], text: name, evidence });
    }
  }
  return [...merged.values()];
}

function explain(row: KnownNeed, names: readonly string[]): Finding {
  return finding('system packages', row.packages.join(' '), `${needing(row, names)} ${row.why}`);
}

function hint(row: KnownNeed, names: readonly string[]): Finding {
  const wish = `[packages] apt = ${JSON.stringify(row.packages)}`;
  const why = `${needing(row, names)} ${row.why}; if yours does: ${wish} in tandem.toml`;
  return finding('system packages', `without ${row.packages.join(' ')}`, why);
}

function needing({ python }: KnownNeed, names: readonly string[]): string {
  return python.filter((name) => names.includes(name)).join(', ');
}
