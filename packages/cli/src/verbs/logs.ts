// `tandem logs`: what an app, its builds and its jobs have written.
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, type LogLine } from '@tandem/protocol';
import type { LogOptions } from '@tandem/protocol/client';
import { printable } from '../output/layout.ts';
import { parseSince, parseWhole } from '../output/quantities.ts';
import type { Session } from '../session.ts';
import type { Options, Verb } from '../verb.ts';

const LINES_DEFAULT = 100;
const AWAY_MS_MAX = 60_000;
const RETRY_MS = 1_000;

export const logs: Verb = {
  name: 'logs',
  summary: 'Show what an app has written, across releases, failed deploys included.',
  scope: 'app',
  options: [
    ['-f, --follow', 'stay and show new lines as they come'],
    ['-n, --lines <number>', `how many of the last lines; default ${LINES_DEFAULT}`],
    ['-p, --process <name>', 'one process type or process: web, web.1, release'],
    ['--release <release>', 'one release (v3), or the build of one deploy (d7)'],
    ['--since <when>', 'from then on: 10m, 2h, 1d, 2026-11-24T08:00'],
    ['--grep <text>', 'lines that contain the text'],
  ],
  examples: [
    'tandem logs -f',
    'tandem logs --release v8 -p web',
    'tandem logs --since 1h --grep Error',
  ],
  async run({ session, options }) {
    const app = await session.app();
    const query = logOptions(options);
    if (query.follow) await follow(session, app, query);
    else for await (const line of (await session.client()).logs(app, query)) show(session, line);
  },
};

function logOptions(options: Options): LogOptions {
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const since = text('since');
  const lines = text('lines');
  const bounded = since === undefined ? LINES_DEFAULT : undefined;
  return {
    follow: options['follow'] === true,
    tail: lines === undefined ? bounded : parseWhole(lines, '--lines'),
    process: text('process'),
    release: text('release'),
    sinceMs: since === undefined ? undefined : parseSince(since, Date.now()),
    grep: text('grep'),
  };
}

/** Goes on after a restart of the agent, where it stopped: no line twice, none left out. */
async function follow(session: Session, app: string, query: LogOptions): Promise<void> {
  const connection = await session.connect();
  const seen = new Seen();
  let awaySinceMs: number | undefined;
  for (let next = query; ; next = seen.resume(query)) {
    try {
      for await (const line of connection.client.logs(app, next)) {
        awaySinceMs = undefined;
        if (seen.isNew(line)) show(session, line);
      }
      return;
    } catch (error) {
      awaySinceMs ??= Date.now();
      const tooLong = Date.now() - awaySinceMs > AWAY_MS_MAX;
      if (!hasCode(error, 'PLATFORM_UNREACHABLE') || tooLong || !seen.any) throw error;
    }
    await sleep(RETRY_MS);
    await connection.revive().catch(() => undefined);
  }
}

class Seen {
  #lastMs = -1;
  /** Those of the last millisecond; after a break it is asked for again. */
  #lines = new Map<string, number>();
  #repeated = new Map<string, number>();

  get any(): boolean {
    return this.#lastMs >= 0;
  }

  isNew(line: LogLine): boolean {
    const key = `${line.process} ${line.release} ${line.stream} ${line.text}`;
    if (line.atMs === this.#lastMs && (this.#repeated.get(key) ?? 0) > 0) {
      this.#repeated.set(key, (this.#repeated.get(key) ?? 0) - 1);
      return false;
    }
    if (line.atMs > this.#lastMs) {
      this.#lastMs = line.atMs;
      this.#lines = new Map();
    }
    this.#lines.set(key, (this.#lines.get(key) ?? 0) + 1);
    return true;
  }

  resume(query: LogOptions): LogOptions {
    this.#repeated = new Map(this.#lines);
    return { ...query, tail: undefined, sinceMs: this.#lastMs };
  }
}

function show({ output }: Session, line: LogLine): void {
  if (output.json) return output.record(line);
  const time = new Date(line.atMs);
  const clock = `${time.toLocaleDateString('sv')} ${time.toLocaleTimeString('sv')}`;
  const origin = output.paint('dim', `${clock} ${line.release} ${line.process}`);
  output.text(`${origin}  ${printable(line.text)}`);
}
