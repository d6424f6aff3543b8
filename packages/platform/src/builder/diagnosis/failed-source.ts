// A package of the source whose build failed: the project itself, or a directory of it. It has no
// versions to choose from, so what helps is in its own files.
import type { ErrorBody } from '@tandem/protocol';
import { aptBefore, lackIn } from './build-lack.ts';
import type { InstallFailure } from './evidence.ts';

/** `requirement` as the installer names it, if it does: `shop @ file:///app`. */
export function failedSource(
  failure: InstallFailure,
  requirement: string | undefined,
  detail: string,
): ErrorBody {
  const lines = failure.lines.filter((line) => isPath(line.text));
  const named = /file:\/\/\/app\/?([^`#\s]*)/.exec(requirement ?? '')?.[1];
  const line = lines.find(({ text }) => named === undefined || pathIn(text) === named) ?? lines[0];
  const path = named ?? pathIn(line?.text ?? '');
  const subject = path === '' ? 'The project itself' : `The package in ${path}`;
  const module = /No module named '([^'.]+)/.exec(detail)?.[1];
  const requires = `[build-system] requires = ["setuptools", "${module}"]`;
  const mend = module && `name it in ${under(path, 'pyproject.toml')}: ${requires}`;
  const own =
    path === ''
      ? 'without installing the project: requirements = "requirements.txt" in tandem.toml'
      : `mend its build: pip install ./${path}`;
  return {
    code: 'DEPENDENCY_BUILD_FAILED',
    message: `${subject} could not be built for its installation: ${lackIn(detail)}.`,
    where: line?.evidence ?? failure.file,
    hint: aptBefore(mend ? `${mend}\nor ${own}` : own, detail),
  };
}

/** Relative to the top of the source; '' for the project itself. */
function pathIn(text: string): string {
  return text
    .replace(/^(-e|--editable)[\s=]+|\[[^\]]*\]$/g, '')
    .replace(/^(\.\/|\.$)+/, '')
    .trim();
}

function isPath(text: string): boolean {
  return /^((-e|--editable)[\s=]+)?(\.|\/|file:)/.test(text);
}

function under(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
