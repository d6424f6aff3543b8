// What a project asks to be installed, whatever file says so, and how it is to be resolved.
import { requirementName, type RequirementLine } from '../requirements-file.ts';

/** A lock is installed as it stands; everything else is resolved first. */
export type DependencyKind =
  | 'uv-lock'
  | 'poetry-lock'
  | 'pdm-lock'
  /** PEP 751. */
  | 'pylock'
  | 'pipfile-lock'
  /** Requirements of which each one has its version and hashes: they are their own lock. */
  | 'hashed-requirements'
  /** PEP 621: the resolver reads it itself. */
  | 'pyproject'
  /** Requirements files, or a text that we made from a file the resolver does not read. */
  | 'requirements'
  | 'none';

/** Normalised name -> the group or extra that asks for it; '' for a file. */
export type DevelopmentNames = Readonly<Record<string, string>>;

export interface DependencySource {
  readonly kind: DependencyKind;
  /** Directory of the file; '' for the top. */
  readonly directory: string;
  /** Files whose text decides what is installed. */
  readonly files: readonly string[];
  /** What is asked for directly (or locked), as written. */
  readonly lines: readonly RequirementLine[];
  /** Of constraints files: they fix versions and ask for nothing. */
  readonly constraints: readonly RequirementLine[];
  /** Their normalised names, to guess before anything is resolved. */
  readonly names: readonly string[];
  /** Made by us and resolved instead of the first file; paths in it are relative to `directory`. */
  readonly requirements?: string;
  /** Versions of a lock that does not fit any more: kept where they still can be. */
  readonly preferred?: string;
  /** Production groups and extras of the project. */
  readonly groups: readonly string[];
  readonly extras: readonly string[];
  /** Of both, those that the user names. */
  readonly wished: readonly string[];
  /** The project itself is installed. */
  readonly installProject: boolean;
  /** Why it must be, beside that its build says what it depends on. */
  readonly installReason?: string;
  /** The project is one of a uv workspace, whose lock lies in `directory`. */
  readonly member?: { readonly name: string; readonly directory: string };
  /** Paths of the source are installed, so its contents decide too. */
  readonly namesPaths: boolean;
  /** What only development groups or files ask for. */
  readonly developmentOnly: DevelopmentNames;
}

/** A source, and what there is to say about it beside its file. */
export interface Candidate {
  readonly source: DependencySource;
  /** What stands behind the file name in its finding: 'a lock', 'its Pipfile.lock is older'. */
  readonly why?: string;
  /** Nothing is asked for: a better file may lie elsewhere. */
  readonly isEmpty?: boolean;
  /** Only for developers: the last choice. */
  readonly isDevelopment?: boolean;
  /** What of the file has no meaning here. */
  readonly notUnderstood?: readonly string[];
}

export const NO_DEPENDENCIES: DependencySource = {
  kind: 'none',
  directory: '',
  files: [],
  lines: [],
  constraints: [],
  names: [],
  groups: [],
  extras: [],
  wished: [],
  installProject: false,
  namesPaths: false,
  developmentOnly: {},
};

export function sourceOf(kind: DependencyKind, parts: Partial<DependencySource>): DependencySource {
  const names = (parts.lines ?? []).flatMap(({ name }) => name ?? []);
  return { ...NO_DEPENDENCIES, names: [...new Set(names)], ...parts, kind };
}

/** Requirements that we took from another format, each with its line in it. */
export function linesFrom(
  text: string,
  path: string,
  requirements: readonly string[],
): RequirementLine[] {
  return requirements.map((requirement) => {
    const name = requirementName(requirement);
    const line = name === undefined ? 0 : lineOfName(text, name);
    const evidence = line > 0 ? `${path}:${line}` : path;
    return { text: requirement, evidence, ...(name === undefined ? {} : { name }) };
  });
}

/** The first line that names the distribution, however it is spelled; 0 when none does. */
export function lineOfName(text: string, name: string): number {
  const pattern = new RegExp(`(^|[^a-z0-9-])${name}($|[^a-z0-9-])`);
  const normalized = (line: string): string => line.toLowerCase().replace(/[-_.]+/g, '-');
  return text.split('\n').findIndex((line) => pattern.test(normalized(line))) + 1;
}

export function directoryOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}
