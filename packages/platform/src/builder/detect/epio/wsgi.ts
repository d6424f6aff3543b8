// [wsgi], [django] and [checkout]: where the app lies, what serves it and what is installed for it.
import { dirname } from 'node:path/posix';
import { kindOf } from '../linked-tree.ts';
import { manageFileIn } from '../app-root.ts';
import { hasFile, under, walkFiles } from '../source-tree.ts';
import type { Statement } from './ini-file.ts';
import { invalid, placeOf } from './invalid.ts';
import { placeIn } from './place.ts';
import { booleanOf, readerOf, type EpioReading } from './reading.ts';

const ENTRY = /^[\w.]+:[\w.]+$/;
/** Holds a link by the name that the directory of the code used to have. */
const CHECKOUT_DIRECTORY = '.checkout';
const PYTHON_DEPTH_MAX = 3;

export const WSGI = readerOf('wsgi', {
  entrypoint: (statement, reading) => {
    if (!ENTRY.test(statement.value)) {
      const hint = 'entrypoint = PACKAGE.MODULE:CALLABLE';
      throw invalid(statement.line, `entrypoint "${statement.value}" is not understood`, hint);
    }
    reading.set('entry', statement.value, statement.line);
  },
  requirements: (statement, reading) => {
    const path = sourcePath(statement);
    if (!hasFile(reading.tree, path)) {
      const hint = 'requirements = FILE is relative to the top of the source';
      throw invalid(statement.line, `requirements "${statement.value}" is not a file`, hint);
    }
    reading.set('requirements', path, statement.line);
  },
  pythonpath: (statement, reading) => {
    for (const part of statement.value.split(/[:,\s]+/).filter(Boolean)) {
      reading.addToPath(sourcePath({ ...statement, value: part }), statement.line);
    }
  },
  enabled: (statement, reading) => {
    if (booleanOf(statement)) return;
    reading.filesOnly = placeOf(statement.line);
    reading.note(statement, 'no Python process: files only');
  },
});

export const DJANGO = readerOf('django', {
  base: (statement, reading) => {
    const base = sourcePath(statement);
    if (kindOf(reading.tree, base) !== 'directory') {
      const hint = 'base = DIRECTORY is relative to the top of the source';
      throw invalid(statement.line, `base "${statement.value}" is not a directory`, hint);
    }
    reading.djangoBase = base;
    const root = upward(base).find((one) => manageFileIn(reading.tree, one) !== undefined);
    if (root === undefined) reading.note(statement, 'no manage.py of Django there or above');
    else reading.set('root', root, statement.line);
    // The old system had both on the path; here each only where it is needed, because modules of a
    // package, or of the top, may hide installed ones.
    const isPackage = hasFile(reading.tree, under(base, '__init__.py'));
    const isNamed = base !== '' && isUsed(reading, base.split('/')[0] ?? base);
    for (const path of [...(isPackage ? [] : [base]), ...(isNamed ? [''] : [])]) {
      if (path !== root) reading.addToPath(path, statement.line);
    }
  },
  append_settings: (statement, reading) => {
    const appended = booleanOf(statement);
    reading.set('overlay', appended, statement.line);
    const why = appended ? 'the overlay does that' : 'no overlay: the settings stay as they are';
    reading.note(statement, why);
  },
});

export const CHECKOUT = readerOf('checkout', {
  directory_name: (statement, reading) => {
    const name = statement.value;
    if (!isUsed(reading, name) || isThere(reading, name)) {
      return reading.note(statement, 'nothing imports it: the code lies in /app');
    }
    const path = `${CHECKOUT_DIRECTORY}/${name}`;
    reading.link({ path, target: '' });
    reading.addToPath(CHECKOUT_DIRECTORY, statement.line);
    reading.note(statement, `imports of "${name}" find the code through a link`);
  },
});

/** Code names modules below it: `from NAME.urls import`, `"NAME.urls"`. */
function isUsed({ tree }: EpioReading, name: string): boolean {
  if (!/^[A-Za-z_]\w*$/.test(name)) return false;
  const use = new RegExp(`^\\s*(?:from|import)\\s+${name}\\b|["']${name}\\.[\\w.]+["']`, 'm');
  return walkFiles(tree, '', PYTHON_DEPTH_MAX).some(
    (path) => path.endsWith('.py') && use.test(tree.read(path) ?? ''),
  );
}

function isThere({ tree }: EpioReading, name: string): boolean {
  return kindOf(tree, name) !== undefined || hasFile(tree, `${name}.py`);
}

function sourcePath({ key, value, line }: Statement): string {
  const place = placeIn(value);
  if (place.kind === 'source') return place.path;
  const hint = `${key} = PATH is relative to the top of the source`;
  throw invalid(line, `${key} "${value}" lies outside of the source`, hint);
}

/** The directory, the one above it, and so on to the top. */
function upward(directory: string): string[] {
  if (directory === '') return [''];
  const parent = dirname(directory);
  return [directory, ...upward(parent === '.' ? '' : parent)];
}
