// Which versions of the packages asked for are installed, from what the archive offers. Pure.
import { TandemError } from '@tandem/protocol';
import { compareDebianVersions } from './debian-version.ts';
import { nearNames } from './near-names.ts';
import { satisfies, type PackageSpec } from './package-spec.ts';

export interface Offer {
  /** Name -> versions. */
  readonly versions: ReadonlyMap<string, readonly string[]>;
  /** Every name there is, for a hint. */
  readonly names: readonly string[];
}

/** `apt-cache madison` and `apt-cache pkgnames`. */
export function parseOffer(madison: string, names: string): Offer {
  const versions = new Map<string, string[]>();
  for (const line of madison.split('\n')) {
    const [name = '', version = ''] = line.split('|').map((cell) => cell.trim());
    if (name === '' || version === '') continue;
    versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  return { versions, names: names.split('\n').filter((name) => name !== '') };
}

/** Name -> version, of a `status` file of dpkg. */
export function parseInstalled(status: string): Map<string, string> {
  const installed = new Map<string, string>();
  for (const stanza of status.split('\n\n')) {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const [name, version] = [field('Package'), field('Version')];
    if (name === undefined || version === undefined) continue;
    if (field('Status') === 'install ok installed') installed.set(name, version);
  }
  return installed;
}

export function isInstalled(spec: PackageSpec, installed: ReadonlyMap<string, string>): boolean {
  const version = installed.get(spec.name);
  return version !== undefined && satisfies(version, spec.conditions);
}

/** A later Debian has the same library under another name: `libcurl4t64` is `libcurl4`. */
export function namesOf({ name, optional }: PackageSpec): readonly string[] {
  const older = name.replace(/t64$/, '');
  return optional === true && older !== name ? [name, older] : [name];
}

/** Those that nobody insists on, and that are not there in the end. */
export function leftOut(
  specs: readonly PackageSpec[],
  installed: ReadonlyMap<string, string>,
): PackageSpec[] {
  return specs.filter(
    (spec) => spec.optional === true && !namesOf(spec).some((name) => installed.has(name)),
  );
}

/**
 * Arguments of `apt-get install`. Throws SYSTEM_PACKAGE_UNAVAILABLE for the first that is not, unless
 * it is optional.
 */
export function choosePackages(specs: readonly PackageSpec[], offer: Offer): string[] {
  return specs.flatMap((spec) => {
    if (spec.optional === true) {
      return namesOf(spec).find((name) => offer.versions.has(name)) ?? [];
    }
    const versions = offer.versions.get(spec.name);
    if (versions === undefined) throw unknown(spec, offer.names);
    if (spec.conditions.length === 0) return spec.name;
    const usable = versions.filter((version) => satisfies(version, spec.conditions));
    const newest = usable.toSorted(compareDebianVersions).at(-1);
    if (newest === undefined) throw noVersion(spec, versions);
    return `${spec.name}=${newest}`;
  });
}

function unknown({ name, text, evidence }: PackageSpec, names: readonly string[]): TandemError {
  const near = nearNames(name, names);
  const message = `Debian 12 has no package "${name}".`;
  return new TandemError('SYSTEM_PACKAGE_UNAVAILABLE', message, {
    where: `${evidence} ${text}`,
    hint:
      near.length > 0
        ? `near it: ${near.join(', ')}`
        : 'look for it at https://packages.debian.org/bookworm/',
  });
}

function noVersion({ name, text, evidence }: PackageSpec, versions: readonly string[]) {
  const offered = [...new Set(versions)].toSorted(compareDebianVersions).reverse().join(', ');
  const message = `Debian 12 has no version of ${name} that meets "${text}": it has ${offered}.`;
  return new TandemError('SYSTEM_PACKAGE_UNAVAILABLE', message, {
    where: `${evidence} ${text}`,
    hint: `ask for what there is: ${name}, or ${name}=${majorOf(versions[0] ?? '')}.*`,
  });
}

function majorOf(version: string): string {
  return /^(?:\d+:)?(\d+)/.exec(version)?.[1] ?? version;
}
