// What pip reads, or once read, and our resolver refuses, line by line. Lines keep their numbers.

/** Options of old pips that change nothing about what is installed here. */
const DROPPED =
  /^--(allow-external|allow-unverified|allow-all-external|use-mirrors|mirrors|use-wheel|no-use-wheel|process-dependency-links|no-cache-dir|no-deps|upgrade|user|always-unzip|download-cache|disable-pip-version-check|no-build-isolation|root-user-action)\b/;
/** The index that everybody uses, by one of its names: it is ours by default, perhaps a mirror of it. */
export const PUBLIC_INDEX =
  /^(-i|--index-url|--extra-index-url)[\s=]+https?:\/\/(pypi\.org|pypi\.python\.org)\/simple\/?$/;
const GIT_EDITABLE = /^(?:-e|--editable)[\s=]+((?:git|hg|svn|bzr)\+\S+)/;

export function forResolver(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => lineForResolver(line))
    .join('\n');
}

function lineForResolver(line: string): string {
  const trimmed = line.trim();
  if (DROPPED.test(trimmed) || PUBLIC_INDEX.test(trimmed)) return '';
  const repository = GIT_EDITABLE.exec(trimmed)?.[1];
  if (repository !== undefined) return repositoryRequirement(repository);
  if (trimmed.startsWith('-') || trimmed.startsWith('#')) return line;
  return (
    line
      // Flags for setup.py, which wheels do not have, and options that have a line of their own.
      .replace(
        /\s+--(install-option|global-option|build-option|no-binary|only-binary)(\s*=\s*|\s+)("[^"]*"|'[^']*'|[^\s\\]+)/g,
        '',
      )
      // Older packaging took a wildcard with any operator.
      .replace(/(>=|<=|~=|>|<)\s*(\d+(?:\.\d+)*)\.\*/g, '$1$2')
  );
}

/** A repository is built and installed like any package: the resolver knows no editable one. */
function repositoryRequirement(url: string): string {
  const name = /[#&]egg=([\w.-]+?)(?:-\d[\w.]*)?(?=&|$)/.exec(url)?.[1];
  const rest = url.replace(/([#&])egg=[^&]*&?/, '$1').replace(/[#&]$/, '');
  return name === undefined ? rest : `${name} @ ${rest}`;
}
