// Requirements that no set of versions meets, or that name a package nobody published.
import type { ErrorBody } from '@tandem/protocol';
import { normalizeName } from '../detect/requirements-file.ts';
import { whereOf, type InstallFailure } from './evidence.ts';

export function unsatisfiable(failure: InstallFailure): ErrorBody | undefined {
  if (/Hash mismatch for `([^`]+)`/.test(failure.logTail)) return hashMismatch(failure);
  if (!failure.logTail.includes('No solution found')) return undefined;
  // Then nobody knows what there is.
  if (failure.logTail.includes('lack of valid authentication credentials')) return undefined;
  const explanation = explanationIn(failure.logTail);
  const names = [...explanation.matchAll(/you require ([A-Za-z0-9._-]+)/g)];
  const wanted = names.map(([, name = '']) => normalizeName(name));
  const unknown = /([\w.-]+) was not found in the package registry/.exec(explanation)?.[1];
  return {
    code: 'REQUIREMENTS_UNSATISFIABLE',
    message: unknown
      ? `No package is called "${unknown}".`
      : `The requirements cannot be met together: ${explanation}`,
    where: whereOf(failure, unknown ? [normalizeName(unknown)] : wanted),
    hint: unknown ? 'check its spelling' : 'loosen one of the versions named',
  };
}

function explanationIn(log: string): string {
  const start = log.lastIndexOf('No solution found');
  const block = log.slice(start).split(/\n\s*\n|\nhint:/)[0] ?? '';
  const reason = block.replace(/^[^\n]*\n/, '').replace(/^\s*(cause:|╰─▶)\s*/, '');
  return reason.replace(/\s+/g, ' ').trim();
}

function hashMismatch(failure: InstallFailure): ErrorBody {
  const name = /Hash mismatch for `([^`=]+)/.exec(failure.logTail)?.[1] ?? '';
  return {
    code: 'REQUIREMENTS_UNSATISFIABLE',
    message: `The package "${name}" on the index is not the one whose hash the lock names.`,
    where: whereOf(failure, [normalizeName(name)]),
    hint: 'make the lock again, and find out why the file changed',
  };
}
