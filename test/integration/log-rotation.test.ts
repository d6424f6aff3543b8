// Real processes write (conmon, too), their logs are rotated under them, a reader follows: no line is
// lost, none comes twice, and all stay in order.
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { LogLine } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import { prepareConmon, reopenConmonLog } from '../../packages/platform/src/lib/conmon.ts';
import { listLogFiles } from '../../packages/platform/src/telemetry/log-files.ts';
import { readLogs } from '../../packages/platform/src/telemetry/log-reader.ts';
import { LogRotator } from '../../packages/platform/src/telemetry/log-rotation.ts';
import { exitOf, runTypeScript } from '../support/run-typescript.ts';

const WRITER = join(import.meta.dirname, '../support/rotating-writer.ts');
const LINES = 4_000;
const ID = 'a12-7';
const LOG = `web.1~v3~${ID}.log`;

/** Understands `create` as an OCI runtime does, and starts the payload at once. */
const RUNTIME = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in --pid-file) pid_file=$2; shift;; esac
  shift
done
[ -n "$pid_file" ] || exit 0
/usr/bin/python3 "$(dirname "$0")/payload.py" &
echo $! > "$pid_file"
`;

const PAYLOAD = `
import sys, time
for number in range(${LINES}):
    text = f"line {number} " + "x" * (20000 if number % 500 == 250 else 20)
    sys.stdout.write(text + "\\n")
    if number % 10 == 0:
        sys.stdout.flush()
        time.sleep(0.005)
sys.stdout.write("the end")
sys.stdout.flush()
`;

describe('logs', () => {
  let root: string;
  let directory: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tandem-conmon-'));
    directory = join(root, 'logs');
    for (const name of ['logs', 'bundle', 'exits']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'runtime.sh'), RUNTIME);
    chmodSync(join(root, 'runtime.sh'), 0o755);
    writeFileSync(join(root, 'payload.py'), PAYLOAD);
    writeFileSync(join(root, 'bundle', 'config.json'), '{}');
  });
  afterEach(() => rm(root, { recursive: true }));

  async function startPayload(): Promise<void> {
    const conmon = prepareConmon({
      id: ID,
      directory: join(root, 'bundle'),
      runtime: join(root, 'runtime.sh'),
      runtimeArgs: [],
      exitDirectory: join(root, 'exits'),
      logPath: join(directory, LOG),
    });
    await conmon.create(10_000);
  }

  const rotator = new LogRotator(systemClock, {
    rotateBytes: 20_000,
    bytesPerAppMax: 1e9,
    filesPerAppMax: 1e3,
  });
  const rotate = () =>
    rotator.rotate(directory, {
      isWriting: () => true,
      reopen: () => reopenConmonLog(join(root, 'bundle')),
    });

  /** Follows in the background; `lines` grows. */
  function follow(): { lines: LogLine[]; end: () => Promise<void> } {
    const abort = new AbortController();
    const lines: LogLine[] = [];
    const following = (async () => {
      const { signal } = abort;
      for await (const line of readLogs({ directory, follow: true, signal })) lines.push(line);
    })();
    const end = async (): Promise<void> => {
      abort.abort();
      await following;
    };
    return { lines, end };
  }

  async function readAll(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    const signal = AbortSignal.timeout(20_000);
    for await (const line of readLogs({ directory, follow: false, signal })) lines.push(line);
    return lines;
  }

  const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

  it('are whole across rotations, while they are followed and afterwards', async () => {
    const followed = follow();
    try {
      await startPayload();
      while (readdirSync(join(root, 'exits')).length === 0) {
        await rotate();
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      await expect.poll(() => followed.lines.at(-1)?.text, { timeout: 10_000 }).toBe('the end');
    } finally {
      await followed.end();
    }
    expect((await listLogFiles(directory)).length).toBeGreaterThan(5);
    const numbers = followed.lines.slice(0, -1).map(({ text }) => Number(text.split(' ')[1]));
    expect(numbers).toEqual(upTo(LINES));
    const long = followed.lines.find(({ text }) => text.startsWith('line 250 '));
    expect(long?.text).toHaveLength(20_009);
    expect(await readAll()).toEqual(followed.lines);
  });

  it('stay in order when they rotate faster than a reader can look', async () => {
    const followed = follow();
    try {
      const writer = runTypeScript(WRITER, [join(directory, LOG)]);
      const count = Number(await text(writer.stdout));
      expect(await exitOf(writer)).toBe(0);
      await expect.poll(() => followed.lines.length, { timeout: 20_000 }).toBe(count);
      expect(followed.lines.map((line) => Number(line.text))).toEqual(upTo(count));
    } finally {
      await followed.end();
    }
  });
});
