// A package that could not be built: one of an index without a wheel, or one of the source.
import type { ErrorBody } from '@tandem/protocol';
import { normalizeName } from '../detect/requirements-file.ts';
import { aptBefore, lackIn } from './build-lack.ts';
import { whereOf, type InstallFailure } from './evidence.ts';
import { failedSource } from './failed-source.ts';

export function failedBuild(failure: InstallFailure): ErrorBody | undefined {
  const said =
    /(?:Failed to (?:download and )?build `([^`]+)`|The build backend returned an error)/.exec(
      failure.logTail,
    );
  if (said === null) return undefined;
  const detail = failure.logTail.slice(said.index);
  const [, requirement] = said;
  if (requirement === undefined || /^file:|@\s*file:/.test(requirement)) {
    return failedSource(failure, requirement, detail);
  }
  const name = normalizeName(/^[\w.-]+/.exec(requirement)?.[0] ?? requirement);
  const wheel = `choose a version of ${name} that has wheels, or an older Python that it has them for: python = "3.10" in tandem.toml`;
  return {
    code: 'DEPENDENCY_BUILD_FAILED',
    message: `${requirement} has no wheel for this Python and could not be built: ${lackIn(detail)}.`,
    where: whereOf(failure, [name]),
    hint: aptBefore(wheel, detail),
  };
}
