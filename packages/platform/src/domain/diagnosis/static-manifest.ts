// A static file that a template, a style sheet or a manifest names, and that nobody collected.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere } from './traceback.ts';

/** Django's manifest; what collecting with a manifest says; django-compressor's own. */
const ENTRY = /Missing staticfiles manifest entry for '([^']*)'/;
const REFERENCE = /[Tt]he file '([^']+)' could not be found with </;
const OFFLINE = /You have offline compression enabled but key "([^"]+)" is missing/;

export function staticManifest(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const message = traceback?.message ?? '';
  const where = traceback && projectWhere(traceback);
  const entry = ENTRY.exec(message)?.[1];
  if (entry === '') {
    const what = 'A template asks for a static file, and the name that it has for it is empty.';
    const hint =
      'where the name comes from the database, load the first data, in tandem.toml:\nrelease = ["python manage.py migrate", "python manage.py COMMAND"]';
    return cause(what, where, hint);
  }
  if (entry !== undefined) {
    return cause(`The static file "${entry}" was not collected.`, where, searchFor(entry));
  }
  const reference = REFERENCE.exec(input.logTail)?.[1];
  if (reference !== undefined && (message === '' || REFERENCE.test(message))) {
    const what = `A style sheet or script refers to "${reference}", which is not there.`;
    return {
      ...cause(what, undefined, searchFor(reference)),
      code: 'STATIC_FAILED',
      said: REFERENCE.exec(input.logTail)?.[0],
    };
  }
  if (!OFFLINE.test(message)) return undefined;
  const hint =
    'compress in the release phase, in tandem.toml:\nrelease = ["python manage.py compress"]';
  return cause('django-compressor is set to offline, and nothing was compressed.', where, hint);
}

function cause(message: string, where: string | undefined, hint: string): Cause {
  return { code: 'STATIC_MANIFEST_MISSING', message, where, hint };
}

function searchFor(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return `commit the file below a static directory, or mend what names it: git grep -n "${name}"\nor make it while the release is built, in tandem.toml: build = ["COMMAND"]`;
}
