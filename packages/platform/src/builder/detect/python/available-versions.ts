// Full versions of interpreters, as lists to choose from.
import { compareVersions, parseVersion, satisfies } from '../version-specifier.ts';

const DEFAULT_MINOR = '3.12';

/** 12 for `3.12.1`. */
export function minorOf(version: string): number {
  return parseVersion(version)[1] ?? 0;
}

export function newest(versions: readonly string[]): string | undefined {
  return sorted(versions).at(-1);
}

export function oldest(versions: readonly string[]): string {
  return sorted(versions)[0] ?? '';
}

/** The newest patch of the oldest minor version among them. */
export function nearestAbove(versions: readonly string[]): string | undefined {
  return newest(versions.filter((version) => minorOf(version) === minorOf(oldest(versions))));
}

/** What a project that names no version gets. */
export function preferred(versions: readonly string[]): string | undefined {
  return (
    newest(versions.filter((version) => satisfies(version, DEFAULT_MINOR))) ?? newest(versions)
  );
}

function sorted(versions: readonly string[]): string[] {
  return versions.toSorted((one, other) => compareVersions(parseVersion(one), parseVersion(other)));
}
