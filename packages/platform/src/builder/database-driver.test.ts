import { describe, expect, it } from 'vitest';
import { driverFor } from './database-driver.ts';
import { parseLock } from './steps/lock.ts';

const settings = { name: 's', file: 's.py', configurations: false, alternatives: [] };
const without = { wantsDatabase: true };

describe('a project without a driver of PostgreSQL', () => {
  it.each([
    ['Django', { settings, wantsDatabase: false }, 'django==5.2', 'psycopg'],
    ['an older Django', { settings, wantsDatabase: false }, 'django==3.2.1', 'psycopg2'],
    ['SQLAlchemy', without, 'flask==3.0\nsqlalchemy==2.0', 'psycopg2'],
    [
      'an async engine beside a driver of another database',
      { ...without, databaseDriver: 'psycopg' },
      'sqlalchemy==2.0\naiomysql==0.2',
      'psycopg',
    ],
    ['SQLAlchemy since 2.1', without, 'sqlalchemy==2.1.3', 'psycopg'],
    [
      'SQLAlchemy that has left its own behind',
      without,
      'sqlalchemy==2.1\npsycopg2-binary==2.9',
      'psycopg',
    ],
  ])('%s gets one', (_name, detection, lock, driver) => {
    expect(driverFor(detection, parseLock(`${lock}\n`))).toBe(driver);
  });

  it.each([
    ['brings one', without, 'sqlalchemy==2.0\nasyncpg==0.30'],
    ['brings the one that SQLAlchemy takes now', without, 'sqlalchemy==2.1\npsycopg==3.2'],
    ['brings another way', without, 'sqlalchemy==2.1\nasyncpg==0.30\npsycopg2==2.9'],
    ['needs none of SQLAlchemy', { wantsDatabase: false }, 'sqlalchemy==2.1\npsycopg2==2.9'],
    ['wants no database', { wantsDatabase: false }, 'sqlalchemy==2.0'],
    ['would not know what to do with it', without, 'flask==3.0'],
  ])('gets none when it %s', (_name, detection, lock) => {
    expect(driverFor(detection, parseLock(`${lock}\n`))).toBeUndefined();
  });
});
