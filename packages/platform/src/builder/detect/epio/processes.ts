// [process-NAME] and [cron]: what runs beside the web process.
import { shellQuote } from '../../../lib/shell-quote.ts';
import type { Section, Statement } from './ini-file.ts';
import { foreign } from './interpolation.ts';
import { invalid } from './invalid.ts';
import { placeIn } from './place.ts';
import type { EpioReading, SectionReader } from './reading.ts';

const PREFIX = 'process-';
const PROCESS_NAME = /^[a-z][a-z0-9-]{0,29}$/;
const KEYS = ['command', 'cwd'];

export const PROCESSES: SectionReader = {
  reads: (name) => name.startsWith(PREFIX),
  read: readProcess,
};

function readProcess(section: Section, reading: EpioReading): void {
  const { name: header, line, statements } = section;
  const name = header.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
  if (!PROCESS_NAME.test(name)) {
    const hint = `[${PREFIX}NAME]: lower-case letters, digits and dashes`;
    throw invalid(line, `"${header}" does not name a process`, hint);
  }
  for (const one of statements) if (!KEYS.includes(one.key)) reading.unknownKey(one, KEYS);
  const command = statements.find(({ key, value }) => key === 'command' && value !== '');
  if (command === undefined) {
    throw invalid(line, `[${header}] has no command`, 'command = python manage.py COMMAND');
  }
  if (command.value.includes(foreign('unix_sock'))) {
    return reading.noCounterpart(command, 'left out: a server listens on $PORT, not on a socket');
  }
  const cwd = statements.find(({ key, value }) => key === 'cwd' && value !== '');
  const value = inDirectory(command, cwd, reading);
  reading.set('processes', { ...reading.config.processes, [name]: value }, command.line);
}

/** On one line: a newline would be a list of commands. */
function inDirectory(command: Statement, cwd: Statement | undefined, reading: EpioReading): string {
  const line = command.value.replaceAll(/\s*\n\s*/g, ' ');
  if (cwd === undefined) return line;
  const place = placeIn(cwd.value);
  if (place.kind !== 'source') {
    const hint = 'cwd = DIRECTORY is relative to the top of the source';
    throw invalid(cwd.line, `cwd "${cwd.value}" lies outside of the source`, hint);
  }
  if (place.path === (reading.config.root ?? '')) return line;
  return `cd ${shellQuote([`/app/${place.path}`.replace(/\/$/, '')])} && ${line}`;
}

/** Written either way round: `NAME = SPEC COMMAND` or `COMMAND = SPEC`. */
export const CRON: SectionReader = {
  reads: (name) => name === 'cron',
  read: ({ statements }, reading) => {
    for (const statement of statements) {
      reading.noCounterpart(statement, 'call it from a crontab: tandem run -a APP COMMAND');
    }
  },
};
