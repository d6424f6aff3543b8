// [symlinks] `path = target`: made in the source before anything reads it, both sides relative to its
// top. Nothing may lead out of the source, because the static server follows links on the node.
import { extname } from 'node:path/posix';
import { kindOf } from '../linked-tree.ts';
import { insideApp } from '../source-tree.ts';
import { DATA_DIRECTORY } from './data-directory.ts';
import type { Statement } from './ini-file.ts';
import { invalid, placeOf } from './invalid.ts';
import { placeIn, type Place } from './place.ts';
import type { EpioReading, SectionReader } from './reading.ts';

export const SYMLINKS: SectionReader = {
  reads: (name) => name === 'symlinks',
  read: ({ statements }, reading) => {
    for (const statement of statements) readLink(statement, reading);
  },
};

function readLink(statement: Statement, reading: EpioReading): void {
  const { key, value, line } = statement;
  const link = placeIn(key);
  const target = placeIn(value);
  if (link.kind !== 'source' || link.path === '') {
    throw invalid(line, `"${key}" lies outside of the source`, 'PATH = TARGET, both in the source');
  }
  if (target.kind === 'data') {
    return readDataLink(statement, link.path, target.path, reading);
  }
  if (target.kind !== 'source') return reading.noCounterpart(statement, outside(target));
  if (kindOf(reading.tree, target.path) === undefined) {
    return reading.note(statement, 'left out: there is no such file in the source');
  }
  if (kindOf(reading.tree, link.path) === 'directory') {
    return reading.note(statement, `left out: ${link.path} is a directory already`);
  }
  if (leadsBelowItself(link.path, target.path)) {
    throw invalid(line, `"${key}" would lead to itself`, 'PATH = TARGET, both in the source');
  }
  const replaced = kindOf(reading.tree, link.path) === 'file' ? ', in place of the file' : '';
  reading.link({ path: link.path, target: target.path });
  reading.note(statement, `a link is made${replaced}`);
}

/** Not made: the path itself lies on the volume, under its own name. */
function readDataLink(
  statement: Statement,
  path: string,
  inData: string,
  reading: EpioReading,
): void {
  const kind = extname(path) === '' ? 'directory' : 'file';
  const why = 'a link into the directory for files';
  const candidate = { path: insideApp(path), kind, isSure: true, why } as const;
  reading.keep({ ...candidate, evidence: placeOf(statement.line) }, inData);
  reading.note(statement, `${path} itself is kept, apart from what lies in ${DATA_DIRECTORY}`);
}

function outside(place: Place): string {
  return place.kind === 'admin-media'
    ? "Django's own files are collected"
    : 'the target lies outside of the source';
}

function leadsBelowItself(link: string, target: string): boolean {
  return link === target || target.startsWith(`${link}/`);
}
