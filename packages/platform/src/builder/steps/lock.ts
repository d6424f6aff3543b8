// A lock as text: requirements with versions and hashes, one a line, as uv and pip read them.
import { normalizeName, requirementName } from '../detect/requirements-file.ts';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
}

export interface Lock {
  readonly text: string;
  readonly packages: readonly LockedPackage[];
  /**
   * Every line is a version of an index with its hashes and no line names an index, a URL or a
   * path: it can be installed without running anybody's code, and shared.
   */
  readonly isPublic: boolean;
  /** Nothing but versions with hashes, wherever they come from. */
  readonly fullyHashed: boolean;
  /** Each version has hashes; beside them paths and repositories may be installed. */
  readonly versionsHashed: boolean;
  readonly isEmpty: boolean;
}

export function parseLock(text: string): Lock {
  const lines = text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
  const asked = lines.filter((line) => !/^(-i|-f|--[a-z-]*(index|links)[a-z-]*)\b/.test(line));
  const pinned = lines.filter((line) => /^[A-Za-z0-9][\w.-]*(\[[^\]]*\])?\s*==/.test(line));
  const hashed = pinned.filter((line) => line.includes('--hash=sha256:'));
  return {
    text,
    packages: pinned.map((line) => ({
      name: normalizeName(requirementName(line) ?? ''),
      version: /==\s*([^\s;,]+)/.exec(line)?.[1] ?? '',
    })),
    isPublic: hashed.length === lines.length,
    fullyHashed: hashed.length === asked.length,
    versionsHashed: hashed.length === pinned.length,
    isEmpty: asked.length === 0,
  };
}

export function versionIn(lock: Lock | undefined, name: string): string | undefined {
  return lock?.packages.find((one) => one.name === name)?.version;
}

export function namesIn(lock: Lock | undefined): string[] {
  return lock?.packages.map(({ name }) => name) ?? [];
}

/** `name==version` lines of the packages in `names`, as constraints for what we add. */
export function pinsOf(lock: Lock | undefined, names: readonly string[]): string[] {
  const wanted = (lock?.packages ?? []).filter(({ name }) => names.includes(name));
  return wanted.map(({ name, version }) => `${name}==${version}`).sort();
}
