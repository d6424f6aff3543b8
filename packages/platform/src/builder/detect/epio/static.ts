// [static] `/url = path` and [http]: what is served without the app, and how long it may be kept.
import type { StaticTable } from '../static-mappings.ts';
import { isMappedUrl, isServable, parseExpires } from '../static-mappings.ts';
import { insideApp } from '../source-tree.ts';
import type { Statement } from './ini-file.ts';
import { invalid } from './invalid.ts';
import { insideData, placeIn } from './place.ts';
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
  const { key, value, line } = statement;
  if (!isMappedUrl(key)) throw invalid(line, `"${key}" is not a URL path`, '/static = PATH');
  const place = placeIn(value);
  if (place.kind === 'admin-media') {
    return reading.note(statement, "Django's own files are collected at STATIC_URL");
  }
  if (place.kind === 'outside') {
    const hint = '/URL = PATH is relative to the top of the source';
    throw invalid(line, `"${value}" lies outside of the source`, hint);
  }
  if (place.kind === 'data') reading.usesDataDirectory(statement);
  const path =
    place.kind === 'data'
      ? (reading.linkToData(place.path) ?? insideData(place.path))
      : insideApp(reading.throughLinks(place.path));
  if (!isServable(path)) {
    const hint = 'letters, digits, ".", "_" and "-"; none begins with a dot';
    throw invalid(line, `"${value}" has a name that the static server does not take`, hint);
  }
  mapTo(reading, { [key]: { path } }, line);
}

/** A URL that is mapped already keeps its path unless the new one brings another. */
function mapTo(reading: EpioReading, more: StaticTable, line: number): void {
  reading.set('static', { ...tableOf(reading), ...more }, line);
}

function tableOf({ config }: EpioReading): StaticTable {
  return typeof config.static === 'object' ? config.static : {};
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
  const { key, value, line } = statement;
  const expires = `${value}s`;
  if (parseExpires(expires) === undefined) {
    const hint = `${EXPIRES}/static = 86400 (at most ten years)`;
    throw invalid(line, `"${value}" is not a number of seconds`, hint);
  }
  if (key === 'expires') return mapTo(reading, { expires }, line);
  const url = key.slice(EXPIRES.length).replace(/(.)\/$/, '$1');
  const path = mappedPath(tableOf(reading), url);
  if (path === undefined || !isMappedUrl(url) || !isServable(path)) {
    return reading.noCounterpart(statement, 'no line of [static] maps that URL');
  }
  mapTo(reading, { [url]: { path, expires } }, line);
}

/** Of the longest mapped URL that leads there. */
function mappedPath(table: StaticTable, url: string): string | undefined {
  const [above = ''] = Object.keys(table)
    .filter((one) => one.startsWith('/') && `${url}/`.startsWith(`${one}/`.replace(/\/+$/, '/')))
    .sort((one, other) => other.length - one.length);
  const place = table[above];
  if (typeof place !== 'object') return undefined;
  const rest = url.slice(above.replace(/\/$/, '').length);
  return rest === '/' ? place.path : `${place.path}${rest}`;
}
