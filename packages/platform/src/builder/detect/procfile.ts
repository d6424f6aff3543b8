// The Procfile: `NAME: COMMAND`, one a line. Strict, with the line in every refusal.
import { TandemError } from '@tandem/protocol';

const LINE = /^([A-Za-z][A-Za-z0-9_-]{0,29})\s*:\s*(\S.*)$/;

export interface ProcfileEntry {
  readonly name: string;
  readonly command: string;
  readonly line: number;
}

export function parseProcfile(text: string, file = 'Procfile'): ProcfileEntry[] {
  const entries: ProcfileEntry[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const line = index + 1;
    const [, name, command] = LINE.exec(content) ?? [];
    if (name === undefined || command === undefined) {
      throw invalid(file, line, `"${content.slice(0, 60)}" is not NAME: COMMAND`);
    }
    if (entries.some((entry) => entry.name === name)) {
      throw invalid(file, line, `"${name}" is named twice`);
    }
    entries.push({ name, command, line });
  }
  if (entries.length === 0) throw invalid(file, 1, 'it names no process');
  return entries;
}

function invalid(file: string, line: number, what: string): TandemError {
  return new TandemError('PROCFILE_INVALID', `${file}:${line}: ${what}.`, {
    where: `${file}:${line}`,
    hint: 'each line is NAME: COMMAND, for example: web: gunicorn site.wsgi',
  });
}
