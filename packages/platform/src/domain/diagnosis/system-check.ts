// Django's own checks refuse the project: the first error, with Django's hint.
import type { Cause, DiagnosisInput } from './evidence.ts';

const ERRORS =
  /SystemCheckError: System check identified some issues:[^\n]*\n+ERRORS:\n([^\n]+)(?:\n\s+HINT: ([^\n]+))?/;
/** `shop.Cake.photo: (fields.E210) Cannot use ImageField because Pillow is not installed.` */
const ONE = /^(\S+): \(([\w.]+)\) (.*)$/;
const PILLOW = 'fields.E210';

export function systemCheck({ logTail }: DiagnosisInput): Cause | undefined {
  const [said, line = '', hint] = ERRORS.exec(logTail) ?? [];
  const [, subject, id, text = line] = ONE.exec(line) ?? [];
  if (said === undefined) return undefined;
  const where = subject === '?' ? undefined : subject;
  if (id === PILLOW) {
    const message = 'Module "PIL" is not installed; ImageField needs it.';
    return {
      code: 'MODULE_MISSING',
      message,
      where,
      hint: 'add Pillow to the dependencies',
      said: line,
    };
  }
  return {
    code: 'IMPORT_FAILED',
    message: `Django refuses the project${id ? ` (${id})` : ''}: ${text}`,
    where,
    hint: hint ?? 'mend what the check names: python manage.py check',
    said: line,
  };
}
