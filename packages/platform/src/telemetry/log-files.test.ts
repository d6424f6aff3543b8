import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatLogFileName, listLogFiles, parseLogFileName } from './log-files.ts';

describe('names of log files', () => {
  it.each([
    ['web.1~v3~a12-7.log', { process: 'web.1', release: 'v3', id: 'a12-7', part: undefined }],
    ['web.1~v3~a12-7.log.12', { process: 'web.1', release: 'v3', id: 'a12-7', part: 12 }],
    ['build~d7~a12-d7.log', { process: 'build', release: 'd7', id: 'a12-d7', part: undefined }],
    ['router~-~balancer.log', { process: 'router', release: '-', id: 'balancer', part: undefined }],
  ])('reads %s', (name, expected) => {
    expect(parseLogFileName(name)).toMatchObject(expected);
  });

  it.each([
    '',
    'web.1.log',
    'web~v3.log',
    '~v3~id.log',
    'web~v3~id.log.0',
    'web~v3~id.log.1x',
    'web~v3~id.log.tmp',
    'web~v3~id.log.gz',
    'web~v3~id~more.log',
    'a/web~v3~id.log',
  ])('leaves alone %j', (name) => {
    expect(parseLogFileName(name)).toBeUndefined();
  });

  it('reads what it writes', () => {
    const name = { process: 'worker.2', release: 'v10', id: 'a3-44' };
    expect(parseLogFileName(formatLogFileName(name))).toMatchObject(name);
  });
});

describe('listLogFiles', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-logs-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const write = (name: string): void => writeFileSync(join(directory, name), name);

  it('puts the parts of a series in order of age', async () => {
    const names = ['b~v1~x.log', 'a~v1~x.log', 'a~v1~x.log.10', 'a~v1~x.log.9', 'a~v1~x.log.1'];
    names.forEach(write);
    const files = await listLogFiles(directory);
    expect(files.map((file) => `${file.process}${file.part ?? ''}`)).toEqual([
      'a1',
      'a9',
      'a10',
      'a',
      'b',
    ]);
  });

  it('passes over directories, drafts and what is not wanted', async () => {
    ['web~v1~x.log', 'web~v1~x.log.tmp', 'notes.txt', 'worker~v1~y.log'].forEach(write);
    mkdirSync(join(directory, 'web~v1~z.log'));
    const files = await listLogFiles(directory, ({ process }) => process === 'web');
    expect(files.map(({ id }) => id)).toEqual(['x']);
  });

  it('is empty for a directory that does not exist', async () => {
    expect(await listLogFiles(join(directory, 'none'))).toEqual([]);
  });

  it('knows a file again under another name, and not another under its name', async () => {
    write('web~v1~x.log');
    const [before] = await listLogFiles(directory);
    renameSync(join(directory, 'web~v1~x.log'), join(directory, 'web~v1~x.log.1'));
    write('web~v1~x.log');
    const [part, current] = await listLogFiles(directory);
    expect(part?.identity).toBe(before?.identity);
    expect(current?.identity).not.toBe(before?.identity);
  });
});
