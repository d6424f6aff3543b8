import { readdirSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../domain/limits.ts';
import { parseLogFileName, type LogFile } from './log-files.ts';
import { decideRotation, LogRotator } from './log-rotation.ts';

const limits = { rotateBytes: 100, bytesPerAppMax: 1_000, filesPerAppMax: 10 };
const running = (): boolean => true;
const ended = (): boolean => false;

/** Files as a listing gives them, oldest part first: name and size; younger the later. */
function files(...list: [name: string, sizeBytes: number][]): LogFile[] {
  return list.map(([name, sizeBytes], index) => {
    const parsed = parseLogFileName(name);
    if (parsed === undefined) throw new Error(`${name} is no log file`);
    return { ...parsed, path: name, identity: name, sizeBytes, modifiedAtMs: index };
  });
}

describe('decideRotation', () => {
  it('leaves small files alone', () => {
    const decision = decideRotation(files(['web~v1~a.log', 99]), running, limits);
    expect(decision).toEqual({ rename: [], reopen: [], remove: [] });
  });

  it('renames a large one to the next part and has it opened again', () => {
    const list = files(['web~v1~a.log.8', 100], ['web~v1~a.log.9', 100], ['web~v1~a.log', 100]);
    const decision = decideRotation(list, running, limits);
    expect(decision.rename).toEqual([{ from: 'web~v1~a.log', to: 'web~v1~a.log.10' }]);
    expect(decision.reopen).toEqual(['a']);
  });

  it('begins with part 1', () => {
    const [renamed] = decideRotation(files(['web~v1~a.log', 500]), running, limits).rename;
    expect(renamed?.to).toBe('web~v1~a.log.1');
  });

  it('does not rename what nobody writes', () => {
    expect(decideRotation(files(['build~d1~a.log', 500]), ended, limits).rename).toEqual([]);
  });

  it('asks again for a file that was renamed but never opened anew', () => {
    const list = files(['web~v1~a.log.1', 100], ['web~v1~a.log.2', 100]);
    expect(decideRotation(list, running, limits).reopen).toEqual(['a']);
    expect(decideRotation(list, ended, limits).reopen).toEqual([]);
  });

  it('removes the oldest parts over the limit, of whatever series', () => {
    const list = files(
      ['web~v1~a.log.1', 300],
      ['worker~v1~b.log.1', 300],
      ['web~v1~a.log.2', 300],
      ['web~v1~a.log', 50],
      ['worker~v1~b.log', 350],
    );
    const decision = decideRotation(list, running, limits);
    expect(decision.remove).toEqual(['web~v1~a.log.1']);
  });

  it('counts up to the byte', () => {
    const list = files(['web~v1~a.log.1', 950], ['web~v1~a.log', 50]);
    expect(decideRotation(list, running, limits).remove).toEqual([]);
    const over = files(['web~v1~a.log.1', 950], ['web~v1~a.log', 51]);
    expect(decideRotation(over, running, limits).remove).toEqual(['web~v1~a.log.1']);
  });

  it('never removes what is being written, under its name or a part', () => {
    const list = files(['web~v1~a.log.1', 5_000], ['worker~v1~b.log', 5_000]);
    expect(decideRotation(list, running, limits).remove).toEqual([]);
  });

  it('removes files of ended writers like parts', () => {
    const list = files(['build~d1~a.log', 600], ['build~d2~b.log', 600]);
    expect(decideRotation(list, ended, limits).remove).toEqual(['build~d1~a.log']);
  });

  it('keeps the number of files within its limit', () => {
    const many = files(
      ...Array.from({ length: 12 }, (_, index): [string, number] => [`run~v1~${index}.log`, 1]),
    );
    expect(decideRotation(many, ended, limits).remove).toEqual(['run~v1~0.log', 'run~v1~1.log']);
  });
});

describe('LogRotator', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-logs-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const path = (name: string): string => join(directory, name);
  /** Sparse: costs no disk. */
  const write = (name: string, sizeBytes: number, atS = 1_000): void => {
    writeFileSync(path(name), '');
    truncateSync(path(name), sizeBytes);
    utimesSync(path(name), atS, atS);
  };
  const { rotateBytes, bytesPerAppMax } = LIMITS.logs;
  let nowMs = 0;
  const rotator = (): LogRotator => new LogRotator({ monotonicMs: () => nowMs });
  const writers = (reopen: (id: string) => Promise<void>) => ({ reopen, isWriting: running });

  it('renames before it asks for a new file', async () => {
    write('web~v1~a.log', rotateBytes);
    write('web~v1~b.log', rotateBytes - 1);
    const asked: string[] = [];
    const reopen = async (id: string): Promise<void> => {
      expect(readdirSync(directory)).toContain('web~v1~a.log.1');
      asked.push(id);
      write('web~v1~a.log', 0);
    };
    await rotator().rotate(directory, writers(reopen));
    expect(asked).toEqual(['a']);
    const names = ['web~v1~a.log', 'web~v1~a.log.1', 'web~v1~b.log'];
    expect(readdirSync(directory).sort()).toEqual(names);
  });

  it('goes on after a kill between rename and opening anew', async () => {
    write('web~v1~a.log', rotateBytes);
    renameSync(path('web~v1~a.log'), path('web~v1~a.log.1'));
    const asked: string[] = [];
    const next = rotator();
    const rotate = () =>
      next.rotate(
        directory,
        writers(async (id) => void asked.push(id)),
      );
    await rotate();
    expect(asked, 'the one before may have asked').toEqual([]);
    nowMs += 30_000;
    await rotate();
    await rotate();
    expect(asked).toEqual(['a']);
  });

  it('does not ask again while a slow writer has not opened its file', async () => {
    write('web~v1~a.log', rotateBytes);
    const asked: string[] = [];
    const slow = rotator();
    for (let look = 0; look < 3; look += 1) {
      await slow.rotate(
        directory,
        writers(async (id) => void asked.push(id)),
      );
      nowMs += 10_000;
    }
    expect(asked).toEqual(['a']);
    write('web~v1~a.log', rotateBytes);
    await slow.rotate(
      directory,
      writers(async (id) => void asked.push(id)),
    );
    expect(asked).toEqual(['a', 'a']);
  });

  it('removes the oldest over the limit also when a writer does not answer, and tells', async () => {
    write('web~v1~a.log.1', bytesPerAppMax, 1);
    write('web~v1~a.log.2', 10, 2);
    write('web~v1~a.log', rotateBytes, 3);
    const reopen = () => Promise.reject(new Error('no such FIFO'));
    const refused = rotator().rotate(directory, writers(reopen));
    await expect(refused).rejects.toThrow(/1 writers did not open/);
    expect(readdirSync(directory).sort()).toEqual(['web~v1~a.log.2', 'web~v1~a.log.3']);
  });

  it('does nothing where there is no log', async () => {
    await expect(
      rotator().rotate(
        path('none'),
        writers(() => Promise.resolve()),
      ),
    ).resolves.toBeUndefined();
  });
});
