// epio.ini, the file that projects of 2011 were deployed with: read into the configuration that
// tandem.toml gives. Whatever of it is not understood, or has no counterpart, is a finding.
import type { SourceTree } from '../source-tree.ts';
import { BASIC_AUTH, ENVIRONMENT } from './environment.ts';
import { parseIniFile } from './ini-file.ts';
import { EPIO_INI } from './invalid.ts';
import { CRON, PROCESSES } from './processes.ts';
import { EpioReading, type SectionReader } from './reading.ts';
import { CELERY, REDIS, SERVICES, SOLR } from './services.ts';
import { HTTP, STATIC } from './static.ts';
import { SYMLINKS } from './symlinks.ts';
import { CHECKOUT, DJANGO, WSGI } from './wsgi.ts';

/** In the order in which one needs what another has read: links first, paths before settings. */
const READERS: readonly SectionReader[] = [
  SYMLINKS,
  DJANGO,
  WSGI,
  CHECKOUT,
  ENVIRONMENT,
  SERVICES,
  REDIS,
  SOLR,
  CELERY,
  STATIC,
  HTTP,
  PROCESSES,
  CRON,
  BASIC_AUTH,
];

/** Undefined without the file. Throws EPIO_INI_INVALID. */
export function readEpioIni(tree: SourceTree): EpioReading | undefined {
  const text = tree.read(EPIO_INI);
  if (text === undefined) return undefined;
  const sections = parseIniFile(text);
  const reading = new EpioReading(tree);
  for (const reader of READERS) {
    for (const section of sections) {
      if (reader.reads(section.name)) reader.read(section, reading);
    }
  }
  for (const section of sections) {
    if (!READERS.some((reader) => reader.reads(section.name))) reading.unknownSection(section);
  }
  return reading;
}
