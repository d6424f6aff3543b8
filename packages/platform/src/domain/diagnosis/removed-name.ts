// A name that the installed version of a library does not have: the project was written for another.
import { absentModule, absentName, guiltyPackage, packageOf } from './import-error.ts';
import type { Cause, DiagnosisInput } from './evidence.ts';
import { plainName, distributionOf } from './tables/distributions.ts';
import { REFUSED, REMOVED, type Removal } from './tables/library-changes.ts';
import { lastTraceback, projectWhere, type Traceback } from './traceback.ts';

interface Absent extends Partial<Removal> {
  readonly what: string;
  readonly distribution: string;
}

export function removedName(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const absent = traceback && absentIn(traceback, input);
  if (traceback === undefined || absent === undefined) return undefined;
  const { distribution, what, below, instead } = absent;
  const version = input.installed?.[plainName(distribution)];
  const by = guiltyPackage(traceback);
  const who = by === undefined || by === distribution ? '' : ` for the package "${by}"`;
  const named = [distribution, version].filter(Boolean).join(' ');
  return {
    code: 'VERSION_MISMATCH',
    message: `${named} has no ${what}${who}${below ? `: it went with ${below}` : ''}.`,
    where: projectWhere(traceback),
    hint: hintOf(absent, by, instead),
  };
}

function hintOf(absent: Absent, by: string | undefined, instead: string | undefined): string {
  const { distribution, below } = absent;
  const pin = below
    ? `write ${distribution}<${below} in the dependencies`
    : `pin ${distribution} to the version that this was written for: ${distribution}==VERSION`;
  if (by !== undefined) return `take a newer version of ${by}, or ${pin}`;
  return instead ? `${pin}\nor use ${instead}` : pin;
}

function absentIn(traceback: Traceback, input: DiagnosisInput): Absent | undefined {
  const refused = REFUSED.find(({ says }) => says.test(traceback.message));
  if (refused !== undefined) return refused;
  return removedModule(traceback, input) ?? absentAttribute(traceback);
}

function removedModule(traceback: Traceback, input: DiagnosisInput): Absent | undefined {
  const module = absentModule(traceback);
  const removal = module === undefined ? undefined : REMOVED[module];
  if (module === undefined) return undefined;
  if (removal !== undefined) {
    // Without any version of it the module is simply missing.
    const isInstalled = input.installed?.[removal.distribution] !== undefined;
    const isPart = module.includes('.') || isInstalled;
    return isPart ? { ...removal, what: `module "${module}"` } : undefined;
  }
  return partOfInstalled(module, input);
}

/** Its package is installed, this part of it is not. */
function partOfInstalled(module: string, input: DiagnosisInput): Absent | undefined {
  const [top = '', ...rest] = module.split('.');
  const distribution = plainName(distributionOf(module));
  const isInstalled = input.installed?.[distribution] !== undefined;
  if (rest.length === 0 || !isInstalled || input.ownModules?.[top] !== undefined) return undefined;
  return { what: `module "${module}"`, distribution };
}

function absentAttribute(traceback: Traceback): Absent | undefined {
  const absent = absentName(traceback);
  if (absent === undefined || absent.isPartial) return undefined;
  const removal = REMOVED[`${absent.module}.${absent.name}`];
  const what = `"${absent.name}" in ${absent.module}`;
  if (removal !== undefined) return { ...removal, what };
  // `cannot import name ... from 'x' (/venv/lib/.../site-packages/x/__init__.py)`
  const file = /\((\/[^)]+)\)/.exec(traceback.message.split('\n')[0] ?? '')?.[1] ?? '';
  if (packageOf({ file }) === undefined) return undefined;
  return { what, distribution: plainName(distributionOf(absent.module)) };
}
