import {
  appendFileSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogLine } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../domain/limits.ts';
import { formatLogLines } from '../lib/log-line.ts';
import { readLogs, type ReadLogsOptions } from './log-reader.ts';

/** Before the files are written, as in life. */
const START_MS = Math.floor(Date.now() / 1000) * 1000 - 30 * 24 * 3_600_000;
const WEB = 'web.1~v3~a12-7.log';
const WORKER = 'worker.1~v3~a12-8.log';
const MIB = 1024 * 1024;

describe('readLogs', () => {
  let root: string;
  let directory: string;
  const abort: AbortController[] = [];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tandem-logs-'));
    directory = join(root, '12');
    mkdirSync(directory);
  });
  afterEach(async () => {
    for (const controller of abort.splice(0)) controller.abort();
    await rm(root, { recursive: true });
  });

  const path = (name: string): string => join(directory, name);
  /** A line `second` seconds after the start. */
  const at = (second: number, text: string, stream: 'stdout' | 'stderr' = 'stdout'): string =>
    formatLogLines(START_MS + second * 1000, stream, text);
  const part = (second: number, text: string): string => at(second, text).replace(' F ', ' P ');
  const append = (name: string, ...lines: string[]): void =>
    appendFileSync(path(name), lines.join(''));
  const modifiedAt = (name: string, second: number): void => {
    utimesSync(path(name), START_MS / 1000 + second, START_MS / 1000 + second);
  };
  const numbered = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => at(from + index, `line ${from + index}`));
  const texts = (lines: readonly LogLine[]): string[] => lines.map(({ text }) => text);

  async function read(options: Partial<ReadLogsOptions> = {}): Promise<LogLine[]> {
    const signal = AbortSignal.timeout(15_000);
    const lines: LogLine[] = [];
    for await (const line of readLogs({ directory, follow: false, signal, ...options })) {
      lines.push(line);
    }
    return lines;
  }

  /** Follows in the background; `lines` grows. */
  function follow(options: Partial<ReadLogsOptions> = {}) {
    const controller = new AbortController();
    abort.push(controller);
    const lines: LogLine[] = [];
    const ended = (async () => {
      const { signal } = controller;
      for await (const line of readLogs({ directory, follow: true, signal, ...options })) {
        lines.push(line);
      }
    })();
    return { lines, ended, stop: () => controller.abort() };
  }
  const waitFor = (lines: readonly LogLine[], count: number) =>
    expect
      .poll(() => lines.length, { timeout: 10_000, interval: 10 })
      .toBeGreaterThanOrEqual(count);

  describe('what is there', () => {
    it('is nothing without a directory, files or lines', async () => {
      expect(await read({ directory: join(root, 'none') })).toEqual([]);
      expect(await read()).toEqual([]);
      append(WEB);
      expect(await read()).toEqual([]);
      expect(await read({ tail: 10 })).toEqual([]);
    });

    it('has process, release, stream and time', async () => {
      append(WEB, at(1, 'hello', 'stderr'));
      const line = { process: 'web.1', release: 'v3', stream: 'stderr', text: 'hello' };
      expect(await read()).toEqual([{ ...line, atMs: START_MS + 1000 }]);
    });

    it('comes in order of time across files and parts', async () => {
      append(`${WEB}.1`, at(1, 'a'), at(4, 'd'));
      append(`${WEB}.2`, at(6, 'f'));
      append(WEB, at(8, 'h'));
      append(WORKER, at(2, 'b'), at(7, 'g'));
      append('build~d3~a12-d3.log', at(3, 'c'), at(5, 'e'));
      expect(texts(await read())).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    });

    it('joins a line that goes on in the next part', async () => {
      append(`${WEB}.1`, at(1, 'one'), part(2, 'be'));
      append(WEB, at(3, 'gin'));
      expect(texts(await read())).toEqual(['one', 'begin']);
    });

    it('includes a last line without an end, by conmon or by a power cut', async () => {
      append(WEB, at(1, 'one'), part(2, 'prompt>'));
      append(WORKER, at(3, 'two'), at(4, 'torn').trimEnd());
      expect(texts(await read())).toEqual(['one', 'prompt>', 'two', 'torn']);
      expect(texts(await read({ tail: 1 }))).toEqual(['torn']);
    });

    it('includes garbage where it stands', async () => {
      append(WEB, at(1, 'one'), '\0\0\0\0garbage\n', '\n', at(2, 'two'));
      expect(texts(await read())).toEqual(['one', 'garbage', 'two']);
    });

    it('survives a file of nothing but bytes', async () => {
      const noise = Buffer.alloc(MIB, 'x');
      writeFileSync(path(WEB), noise);
      const lines = await read();
      expect(texts(lines).join('').length).toBe(noise.length);
      for (const { text } of lines) expect(text.length).toBeLessThan(MIB / 2);
    });

    it('cuts a line of 1 MiB into pieces and loses none', async () => {
      const text = 'x'.repeat(MIB);
      append(WEB, at(1, text), at(2, 'next'));
      const lines = await read();
      expect(texts(lines).slice(0, -1).join('')).toBe(text);
      expect(lines.at(-1)?.text).toBe('next');
    });
  });

  describe('filters', () => {
    beforeEach(() => {
      append(WEB, at(1, 'GET /'), at(2, 'Error: broken'), at(3, 'GET /again'));
      append('web.2~v4~a12-9.log', at(4, 'GET /two'));
      append(WORKER, at(5, 'task'));
      append('website~v4~a12-10.log', at(6, 'other'));
      append('router~-~balancer.log', at(7, '200 /'));
    });

    it.each<[string, ReadLogsOptions['filter'], string[]]>([
      [
        'all instances of a process',
        { process: 'web' },
        ['GET /', 'Error: broken', 'GET /again', 'GET /two'],
      ],
      ['one instance', { process: 'web.2' }, ['GET /two']],
      ['a release', { release: 'v4' }, ['GET /two', 'other']],
      ['what belongs to none', { process: 'router' }, ['200 /']],
      ['a time', { sinceMs: START_MS + 4000 }, ['GET /two', 'task', 'other', '200 /']],
      ['a text in any case', { grep: 'ERROR' }, ['Error: broken']],
      ['a text that is no pattern', { grep: '.*' }, []],
      [
        'all of them',
        { process: 'web', release: 'v3', grep: 'get', sinceMs: START_MS + 2000 },
        ['GET /again'],
      ],
      ['nothing', { process: 'none' }, []],
    ])('by %s', async (_case, filter, expected) => {
      expect(texts(await read({ filter: filter ?? {} }))).toEqual(expected);
    });

    it('apply before the tail is counted', async () => {
      expect(texts(await read({ filter: { grep: 'get' }, tail: 2 }))).toEqual([
        'GET /again',
        'GET /two',
      ]);
    });
  });

  describe('the tail', () => {
    it.each([0, 1, 3, 7, 50])('has the last %i lines of all files together', async (tail) => {
      append(`${WEB}.1`, ...numbered(0, 3));
      append(WEB, ...numbered(5, 7));
      append(WORKER, ...numbered(3, 5));
      const all = texts(await read());
      expect(all).toHaveLength(7);
      expect(texts(await read({ tail }))).toEqual(tail === 0 ? [] : all.slice(-tail));
    });

    it('passes over old files, and does not miss a late line of a quiet one', async () => {
      append(WEB, ...numbered(0, 100));
      append(WORKER, at(50.5, 'in the middle'), at(98.5, 'late'));
      append('web.1~v2~a12-1.log', at(49.5, 'old'));
      modifiedAt(WORKER, 98.5);
      modifiedAt('web.1~v2~a12-1.log', 49.5);
      expect(texts(await read({ tail: 3 }))).toEqual(['line 98', 'late', 'line 99']);
      expect(texts(await read({ tail: 53 })).slice(0, 2)).toEqual(['old', 'line 50']);
    });

    it('of a large file reads its end only', async () => {
      const lines = numbered(0, 20_000).join('').repeat(20);
      for (const name of [`${WEB}.1`, WEB]) writeFileSync(path(name), lines);
      const before = bytesReadByUs();
      expect(texts(await read({ tail: 3 }))).toEqual(['line 19997', 'line 19998', 'line 19999']);
      expect(lines.length).toBeGreaterThan(20 * MIB);
      expect(bytesReadByUs() - before).toBeLessThan(2 * MIB);
    });

    it('goes back over parts, as far as it must', async () => {
      append(`${WEB}.1`, at(1, 'needle 1'), ...numbered(2, 15_000));
      append(`${WEB}.2`, ...numbered(15_000, 16_000), at(16_000, 'needle 2'));
      append(WEB, ...numbered(16_001, 30_000));
      const found = await read({ filter: { grep: 'needle' }, tail: 2 });
      expect(texts(found)).toEqual(['needle 1', 'needle 2']);
    });

    it('is bounded', async () => {
      append(WEB, ...numbered(0, LIMITS.logs.tailLinesMax + 500));
      const lines = await read({ tail: Number.MAX_SAFE_INTEGER });
      expect(lines).toHaveLength(LIMITS.logs.tailLinesMax);
      expect(lines[0]?.text).toBe('line 500');
    });

    it('since a time in a large file reads from there', async () => {
      writeFileSync(path(WEB), numbered(0, 400_000).join(''));
      const before = bytesReadByUs();
      const filter = { sinceMs: START_MS + 399_998_000 };
      expect(texts(await read({ filter }))).toEqual(['line 399998', 'line 399999']);
      expect(bytesReadByUs() - before).toBeLessThan(2 * MIB);
    });
  });

  describe('following', () => {
    it('gives the tail, then what is added, and ends with its signal', async () => {
      append(WEB, ...numbered(0, 5));
      const { lines, ended, stop } = follow({ tail: 2 });
      await waitFor(lines, 2);
      append(WEB, at(5, 'line 5'));
      await waitFor(lines, 3);
      expect(texts(lines)).toEqual(['line 3', 'line 4', 'line 5']);
      stop();
      await expect(ended).resolves.toBeUndefined();
    });

    it('ends at once when its signal fired before', async () => {
      append(WEB, ...numbered(0, 5));
      expect(await read({ follow: true, signal: AbortSignal.abort() })).toEqual([]);
    });

    it('shows a line promptly', async () => {
      const { lines } = follow();
      append(WEB, at(0, 'first'));
      await waitFor(lines, 1);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const startedMs = performance.now();
      append(WEB, at(1, 'second'));
      await waitFor(lines, 2);
      expect(performance.now() - startedMs).toBeLessThan(700);
    });

    it('waits for a directory that does not exist yet', async () => {
      rmSync(directory, { recursive: true });
      const { lines } = follow();
      await new Promise((resolve) => setTimeout(resolve, 50));
      mkdirSync(directory);
      append(WEB, at(1, 'hello'));
      await waitFor(lines, 1);
    });

    it('sees files that appear, in order of time', async () => {
      const { lines } = follow();
      append(WEB, at(2, 'b'));
      await waitFor(lines, 1);
      append('web.1~v4~a12-20.log', at(3, 'c'), at(5, 'e'));
      append(WORKER, at(4, 'd'));
      await waitFor(lines, 4);
      expect(texts(lines).toSorted()).toEqual(['b', 'c', 'd', 'e']);
    });

    it('survives files and the directory vanishing', async () => {
      append(WEB, at(1, 'a'));
      append(`${WORKER}.1`, at(2, 'b'));
      const { lines } = follow();
      await waitFor(lines, 2);
      rmSync(path(`${WORKER}.1`));
      append(WEB, at(3, 'c'));
      await waitFor(lines, 3);
      rmSync(directory, { recursive: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
      mkdirSync(directory);
      append(WEB, at(4, 'd'));
      await waitFor(lines, 4);
      expect(texts(lines)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('gives a line once it is whole, though it is written in pieces', async () => {
      const { lines } = follow();
      const line = at(1, 'in pieces');
      append(WEB, line.slice(0, 20));
      await new Promise((resolve) => setTimeout(resolve, 150));
      append(WEB, line.slice(20, 45));
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(lines).toEqual([]);
      append(WEB, line.slice(45));
      await waitFor(lines, 1);
      expect(texts(lines)).toEqual(['in pieces']);
    });

    it('joins parts that come one after the other, and shows a prompt after a while', async () => {
      const { lines } = follow();
      append(WEB, part(1, 'be'));
      await new Promise((resolve) => setTimeout(resolve, 150));
      append(WEB, at(2, 'gin'), part(3, 'Password: '));
      await waitFor(lines, 2);
      expect(texts(lines)).toEqual(['begin', 'Password: ']);
    });

    it('applies the filter', async () => {
      const { lines } = follow({ filter: { process: 'web', grep: 'yes' } });
      append(WORKER, at(1, 'yes'));
      append(WEB, at(2, 'no'), at(3, 'yes'));
      await waitFor(lines, 1);
      expect(lines[0]).toMatchObject({ process: 'web.1', text: 'yes' });
    });

    it('loses and repeats no line while files rotate under a busy writer', async () => {
      append(WEB, ...numbered(0, 10));
      const { lines } = follow();
      await waitFor(lines, 10);
      let next = 10;
      for (let rotation = 1; rotation <= 12; rotation += 1) {
        // As conmon does: it writes on into the renamed file until it is told to open it again.
        const file = openSync(path(WEB), 'a');
        const writeSome = (): void => {
          for (let count = 0; count < 200; count += 1, next += 1) {
            writeSync(file, at(next, `line ${next}`));
          }
        };
        writeSome();
        await new Promise((resolve) => setTimeout(resolve, rotation * 7));
        renameSync(path(WEB), path(`${WEB}.${rotation}`));
        writeSome();
        if (rotation % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 80));
        closeSync(file);
        append(WEB);
      }
      await waitFor(lines, next);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(texts(lines)).toEqual(Array.from({ length: next }, (_, index) => `line ${index}`));
    });
  });
});

/** All bytes this process has read, from files or elsewhere; see proc(5). */
function bytesReadByUs(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}
