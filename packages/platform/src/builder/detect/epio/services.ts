// [services] and the sections that size one: what runs beside the app.
import { LIMITS } from '../../../domain/limits.ts';
import type { Statement } from './ini-file.ts';
import { invalid } from './invalid.ts';
import { booleanOf, readerOf, type EpioReading, type SectionReader } from './reading.ts';

export const SERVICES: SectionReader = {
  reads: (name) => name === 'services',
  read: ({ statements }, reading) => {
    for (const statement of statements) {
      if (statement.value !== '') readService(statement, reading);
    }
  },
};

function readService(statement: Statement, reading: EpioReading): void {
  const { key, line } = statement;
  const isWanted = booleanOf(statement);
  if (key === 'postgres') {
    reading.set('database', isWanted, line);
    return reading.note(statement, isWanted ? 'a PostgreSQL database' : 'no database');
  }
  if (key === 'redis') {
    reading.set('redis', isWanted, line);
    return reading.note(statement, isWanted ? 'a Redis of its own' : 'no Redis');
  }
  if (!isWanted) return;
  reading.noCounterpart(statement, `run it elsewhere and set its address: tandem config set`);
}

const MIB = 1024 * 1024;

export const REDIS = readerOf('redis', { memory: readMemory, maxmemory: readMemory });

function readMemory(statement: Statement, reading: EpioReading): void {
  const [, digits] = /^(\d+)\s*(?:mb?|mib)?$/i.exec(statement.value) ?? [];
  if (digits === undefined) {
    const hint = 'memory = 16 (megabytes)';
    throw invalid(statement.line, `"${statement.value}" is not a number of megabytes`, hint);
  }
  const sizeMiB = LIMITS.redis.memoryBytes / MIB;
  const has = `every Redis has ${sizeMiB} MiB`;
  if (Number(digits) <= sizeMiB) reading.note(statement, has);
  else reading.noCounterpart(statement, has);
}

/** Services of the old system that this one does not have, with whatever they were told. */
export const SOLR = allOf('solr', 'there is no Solr');
export const CELERY = allOf(
  'celery',
  'name its process: [process-worker] command = celery -A PROJECT worker',
);

function allOf(section: string, instead: string): SectionReader {
  return {
    reads: (name) => name === section,
    read: ({ statements }, reading) => {
      for (const statement of statements) reading.noCounterpart(statement, instead);
    },
  };
}
