import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogWriter } from './log-writer.ts';

describe('LogWriter', () => {
  let directory: string;
  let path: string;
  let writer: LogWriter;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-log-'));
    path = join(directory, '12', 'build~d7~a12-d7.log');
    writer = new LogWriter(path);
  });
  afterEach(async () => {
    await writer.close();
    await rm(directory, { recursive: true });
  });

  const texts = (file = path): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.slice(36));

  it('appends in order and keeps what is there', async () => {
    mkdirSync(join(directory, '12'));
    writeFileSync(path, `${'-'.repeat(35)} before\n`);
    for (let index = 0; index < 1000; index += 1) writer.append(`line ${index}`);
    await writer.flush();
    writer.append('oops', 'stderr');
    await writer.flush();
    const written = texts();
    expect(written).toHaveLength(1002);
    expect(written.slice(0, 3)).toEqual(['before', 'stdout F line 0', 'stdout F line 1']);
    expect(written.at(-1)).toBe('stderr F oops');
  });

  it('goes on in a new file after a rotation by rename', async () => {
    writer.append('one');
    await writer.flush();
    renameSync(path, `${path}.1`);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    writer.append('two');
    await writer.flush();
    expect(texts(`${path}.1`)).toEqual(['stdout F one']);
    expect(texts()).toEqual(['stdout F two']);
  });

  it('drops what it cannot queue, counts it and says so in the file', async () => {
    const chunk = 'x'.repeat(1000);
    for (let index = 0; index < 1500; index += 1) writer.append(chunk);
    expect(writer.dropped).toBeGreaterThan(400);
    await writer.flush();
    writer.append('after');
    await writer.flush();
    const written = texts();
    const gap = `stderr F tandem: ${writer.dropped} lines were dropped`;
    expect(written.slice(-2)).toEqual([gap, 'stdout F after']);
    expect(written).toHaveLength(1500 - writer.dropped + 2);
  });

  it('does not fail its caller when it cannot write, and recovers', async () => {
    const blocked = join(directory, '12');
    writeFileSync(blocked, 'a file where the directory should be');
    chmodSync(blocked, 0o600);
    writer.append('lost\nlost too');
    await writer.flush();
    expect(writer.dropped).toBe(2);
    rmSync(blocked);
    writer.append('kept');
    await writer.flush();
    expect(texts()).toEqual(['stderr F tandem: 2 lines were dropped', 'stdout F kept']);
  });

  it('can be closed without a line, twice', async () => {
    await writer.close();
    await writer.close();
  });
});
