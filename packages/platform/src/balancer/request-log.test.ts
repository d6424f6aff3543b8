import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../ports/route-messages.ts';
import { lineOf, RequestLog } from './request-log.ts';

const record = (more: Partial<AccessRecord> = {}): AccessRecord => ({
  atMs: Date.UTC(2026, 2, 1, 12, 0, 0, 7) + 0.4,
  appId: 1,
  host: 'a.test',
  method: 'GET',
  path: '/x?y=1',
  status: 200,
  bytes: 12,
  durationMs: 1.5,
  upstreamMs: 0.25,
  instanceId: '127.0.0.1:9001',
  requestId: 'abc',
  clientIp: '127.0.0.1',
  ...more,
});

class Disk {
  text = '';
  writes = 0;
  broken = false;
  /** Writes wait for it. */
  open: Promise<void> = Promise.resolve();

  async write(bytes: Buffer): Promise<void> {
    this.writes += 1;
    await this.open;
    if (this.broken) throw new Error('no space');
    this.text += bytes.toString();
  }

  get lines(): Record<string, unknown>[] {
    const lines = this.text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

describe('a request line', () => {
  it('has the documented fields', () => {
    expect(JSON.parse(lineOf(record()))).toEqual({
      time: '2026-03-01T12:00:00.007Z',
      client: '127.0.0.1',
      method: 'GET',
      host: 'a.test',
      path: '/x?y=1',
      status: 200,
      bytes: 12,
      ms: 1.5,
      upstream: '127.0.0.1:9001',
      upstreamMs: 0.25,
      requestId: 'abc',
    });
  });

  it('says nothing of an upstream where there was none', () => {
    const { instanceId: _, upstreamMs: __, ...refused } = record({ status: 404 });
    expect(JSON.parse(lineOf(refused))).not.toHaveProperty('upstream');
  });

  it.each(['/"', '/\\', '/\n', '/\u0000', '/\u007f', '/ü', '/\u2028', '/\ud800'])(
    'holds any path as one line of JSON: %j',
    (path) => {
      const line = lineOf(record({ path, host: path, method: path, requestId: path }));
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(JSON.parse(line)).toMatchObject({ path, host: path });
    },
  );

  it.each([0, 0.01, 0.1, 1, 9.99, 10.05, 12.3, 999.999, 123456.78])('holds %d ms', (durationMs) => {
    const { ms } = JSON.parse(lineOf(record({ durationMs }))) as { ms: number };
    expect(ms).toBeCloseTo(durationMs, 1);
  });

  it('keeps the time across seconds, forth and back', () => {
    const times = [999, 1_000, 1_999, 60_010, 999].map((atMs) =>
      lineOf(record({ atMs })).slice(9, 33),
    );
    expect(times).toEqual([
      '1970-01-01T00:00:00.999Z',
      '1970-01-01T00:00:01.000Z',
      '1970-01-01T00:00:01.999Z',
      '1970-01-01T00:01:00.010Z',
      '1970-01-01T00:00:00.999Z',
    ]);
  });
});

describe('the request log', () => {
  const logged: string[] = [];
  const logOn = (disk: Disk) => new RequestLog(disk, (line) => logged.push(line));

  it('writes many lines at once', async () => {
    const disk = new Disk();
    const log = logOn(disk);
    for (let n = 0; n < 100; n += 1) log.record(record({ bytes: n }));
    await log.flush();
    expect(disk.writes).toBe(1);
    expect(disk.lines.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('writes a single line within a moment', async () => {
    const disk = new Disk();
    logOn(disk).record(record());
    await expect.poll(() => disk.lines.length, { timeout: 2_000 }).toBe(1);
  });

  it('does not wait for 100 ms when there is much', async () => {
    const disk = new Disk();
    const log = logOn(disk);
    for (let n = 0; n < 1_000; n += 1) log.record(record());
    expect(disk.writes).toBe(1);
    await log.flush();
    expect(disk.lines).toHaveLength(1_000);
  });

  it('has a bound while the disk stands still, and says what was lost', async () => {
    const disk = new Disk();
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.open = promise;
    const log = logOn(disk);
    const sent = 100_000;
    for (let n = 0; n < sent; n += 1) log.record(record());
    expect(log.dropped).toBeGreaterThan(0);
    resolve();
    await log.flush();
    const told = disk.lines.reduce((sum, { dropped }) => sum + Number(dropped ?? 0), 0);
    expect(told).toBe(log.dropped);
    expect(disk.lines.filter((line) => line['status'] === 200)).toHaveLength(sent - told);
  });

  it('goes on after a disk was full, and says what was lost', async () => {
    const disk = new Disk();
    disk.broken = true;
    const log = logOn(disk);
    log.record(record());
    log.record(record());
    await log.flush();
    expect(log.dropped).toBe(2);
    expect(logged.filter((line) => line.includes('no space'))).toHaveLength(1);
    disk.broken = false;
    log.record(record({ status: 201 }));
    await expect.poll(() => disk.lines.length, { timeout: 5_000 }).toBe(2);
    expect(disk.lines).toMatchObject([{ status: 201 }, { dropped: 2 }]);
  });

  it('goes on in another file', async () => {
    const [before, after] = [new Disk(), new Disk()];
    const log = logOn(before);
    log.record(record({ status: 201 }));
    await log.flush();
    expect(await log.replaceSink(after)).toBe(before);
    log.record(record({ status: 202 }));
    await sleep(0);
    await log.flush();
    expect([before.lines.length, after.lines.length]).toEqual([1, 1]);
  });
});
