// [static] `/url = path` and [http]: what is served without the app, and how.
import type { Statement } from './ini-file.ts';
import { invalid } from './invalid.ts';
import { placeIn } from './place.ts';
import { booleanOf, type EpioReading, type SectionReader } from './reading.ts';

const EXPIRES = 'expires-';

export const STATIC: SectionReader = {
  reads: (name) => name === 'static',
  read: ({ statements }, reading) => {
    for (const statement of statements) {
      if (statement.key === '_directory_indexes') readIndexes(statement, reading);
      else if (statement.key.startsWith('/')) readMapping(statement, reading);
      else reading.unknownKey(statement, ['/URL', '_directory_indexes']);
    }
  },
};

function readIndexes(statement: Statement, reading: EpioReading): void {
  if (booleanOf(statement)) reading.noCounterpart(statement, 'directories are not listed');
}

function readMapping(statement: Statement, reading: EpioReading): void {
  const place = placeIn(statement.value);
  if (place.kind === 'admin-media') {
    return reading.note(statement, "Django's own files are collected at STATIC_URL");
  }
  if (place.kind === 'data') {
    reading.usesDataDirectory(statement);
    return reading.noCounterpart(statement, 'only collected static files are served');
  }
  if (place.kind === 'outside') {
    throw invalid(
      statement.line,
      `"${statement.value}" lies outside of the source`,
      '/URL = PATH is relative to the top of the source',
    );
  }
  reading.noCounterpart(statement, 'Django collects its static files, other apps serve their own');
}

export const HTTP: SectionReader = {
  reads: (name) => name === 'http',
  read: ({ statements }, reading) => {
    for (const statement of statements) {
      if (statement.key === 'gzip') readGzip(statement, reading);
      else if (statement.key.startsWith(EXPIRES) || statement.key === 'expires')
        readExpires(statement, reading);
      else reading.unknownKey(statement, ['gzip', `${EXPIRES}/URL`]);
    }
  },
};

function readGzip(statement: Statement, reading: EpioReading): void {
  if (booleanOf(statement)) {
    return reading.note(statement, 'static files are; answers of the app are its own affair');
  }
  reading.noCounterpart(statement, 'static files are compressed for whoever accepts it');
}

function readExpires(statement: Statement, reading: EpioReading): void {
  if (!/^\d+$/.test(statement.value)) {
    const hint = `${EXPIRES}/static = 86400`;
    throw invalid(statement.line, `"${statement.value}" is not a number of seconds`, hint);
  }
  reading.noCounterpart(statement, 'the platform chooses how long static files are kept');
}
