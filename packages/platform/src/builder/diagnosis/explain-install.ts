// Why resolving or installing failed. The order counts: a build may fail for want of the network.
import { TandemError, type ErrorBody } from '@tandem/protocol';
import { failedBuild } from './failed-build.ts';
import type { InstallFailure, InstallRule } from './evidence.ts';
import { installDiskFull } from './full-disk.ts';
import { invalidRequirement } from './invalid-requirement.ts';
import { unreachableIndex } from './unreachable-index.ts';
import { unreachableRepository } from './unreachable-repository.ts';
import { unsatisfiable } from './unsatisfiable.ts';

const RULES: readonly InstallRule[] = [
  installDiskFull,
  invalidRequirement,
  unsatisfiable,
  unreachableRepository,
  failedBuild,
  unreachableIndex,
];

export function causeOfInstall(failure: InstallFailure): ErrorBody {
  for (const rule of RULES) {
    const cause = rule(failure);
    if (cause !== undefined) return cause;
  }
  const last = failure.logTail.trim().split('\n').at(-1) ?? '';
  return {
    code: 'BUILD_FAILED',
    message: `The dependencies could not be installed: ${last}`,
    where: failure.file,
  };
}

export function explainInstall(failure: InstallFailure): TandemError {
  return TandemError.fromBody(causeOfInstall(failure));
}
