// Two modules that import each other, or a file of the project that hides an installed package.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { absentName } from './import-error.ts';
import { lastTraceback, projectWhere } from './traceback.ts';

export function circularImport({ logTail }: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(logTail);
  const absent = traceback && absentName(traceback);
  if (traceback === undefined || absent === undefined) return undefined;
  const { message } = traceback;
  const shadow = /renam(?:e|ing) '\/app\/([^']+)'/.exec(message)?.[1];
  const file = /\(?(?:from )?'?\/app\/([\w./-]+\.py)'?\)?/.exec(message)?.[1];
  if (shadow !== undefined) return hidden(absent.module, shadow, projectWhere(traceback));
  if (!absent.isPartial) return undefined;
  const where = projectWhere(traceback);
  // A module at the top that wants a name from itself wanted a package of the same name.
  const importsItself = where?.startsWith(`${file}:`) === true && !absent.module.includes('.');
  if (importsItself && file !== undefined) return hidden(absent.module, file, where);
  return {
    code: 'IMPORT_FAILED',
    message: `Modules import each other: "${absent.name}" is asked of ${absent.module} while that is still being imported.`,
    where,
    hint: `import it inside the function that uses it, or move what both need into a third module`,
  };
}

function hidden(module: string, file: string, where: string | undefined): Cause {
  return {
    code: 'IMPORT_FAILED',
    message: `The file ${file} hides the package "${module}" that it imports.`,
    where,
    hint: `git mv ${file} ${file.replace(/(\w+)\.py$/, 'my_$1.py')}     (and change what imports it)`,
  };
}
