// [env] and [basic_auth]. Values of both may be secrets: they are never shown.
import { hasFile, under } from '../source-tree.ts';
import { RESERVED_VARIABLE } from '../tandem-toml.ts';
import { DATA_DIRECTORY } from './data-directory.ts';
import type { Statement } from './ini-file.ts';
import { invalid } from './invalid.ts';
import type { EpioReading, SectionReader } from './reading.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Beside the code on the old system; the second is what `%(data_directory)s` stands for. */
const HOME_DATA = /^(?:~\/data|\/data)(?=\/|$)/;
const SETTINGS = 'DJANGO_SETTINGS_MODULE';

export const ENVIRONMENT: SectionReader = {
  reads: (name) => name === 'env',
  read: ({ statements }, reading) => {
    for (const statement of statements) readVariable(statement, reading);
  },
};

function readVariable(statement: Statement, reading: EpioReading): void {
  const { key, value, line } = statement;
  if (!NAME.test(key)) {
    throw invalid(
      line,
      `"${key}" is not the name of a variable`,
      'NAME = VALUE, as in EPIO = true',
    );
  }
  if (RESERVED_VARIABLE.test(key)) {
    return reading.noCounterpart(statement, 'the platform sets it', `${key} left out`);
  }
  if (key === 'PYTHONPATH') return readPath(statement, reading);
  if (key === SETTINGS) return readSettings(statement, reading);
  if (HOME_DATA.test(value)) reading.usesDataDirectory(statement);
  const own = value.replace(HOME_DATA, DATA_DIRECTORY);
  reading.set('env', { ...reading.config.env, [key]: own }, line);
  reading.note(statement, 'set for the app; tandem config set overrides it', key);
}

function readPath({ value, line }: Statement, reading: EpioReading): void {
  for (const part of value.split(':').filter(Boolean)) {
    reading.addToPath(part.replace(/^(?:\/app|\.)(?:\/|$)/, '').replace(/\/$/, ''), line);
  }
}

function readSettings({ value, line }: Statement, reading: EpioReading): void {
  if (!/^\w+(?:\.\w+)*$/.test(value)) {
    const hint = `${SETTINGS} = PACKAGE.settings`;
    throw invalid(line, `${SETTINGS} "${value}" is not a dotted module name`, hint);
  }
  reading.set('settings', value, line);
  const { djangoBase, config } = reading;
  const searched = [config.root ?? '', ...(config.pythonpath ?? [])];
  if (djangoBase === undefined || searched.some((path) => holdsModule(reading, path, value)))
    return;
  if (holdsModule(reading, djangoBase, value)) reading.addToPath(djangoBase, line);
}

function holdsModule({ tree }: EpioReading, directory: string, module: string): boolean {
  const path = under(directory, module.replaceAll('.', '/'));
  return hasFile(tree, `${path}.py`) || hasFile(tree, `${path}/__init__.py`);
}

export const BASIC_AUTH: SectionReader = {
  reads: (name) => name === 'basic_auth',
  read: ({ statements }, reading) => {
    const users = statements.filter(({ key }) => !key.startsWith('_'));
    for (const statement of users) {
      const value = `[basic_auth] ${statement.key} = ...`;
      reading.noCounterpart(statement, 'the site is open to everybody who reaches it', value);
    }
    for (const statement of statements.filter(({ key }) => key.startsWith('_'))) {
      reading.noCounterpart(statement, 'no password is asked for');
    }
  },
};
