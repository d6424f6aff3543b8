// The control API over a real socket: streams of lines, and `run`; the backend alone is a fake.
import { once } from 'node:events';
import { request } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  RunFrameDecoder,
  TandemError,
  encodeRunFrame,
  encodeRunJson,
  type LogLine,
  type RunFrame,
} from '@tandem/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RunSession } from '../../packages/platform/src/nexus/control/backend.ts';
import {
  codeOf,
  collect,
  eventually,
  useControlServer,
  type ControlFixture,
} from '../support/control-fixture.ts';
import { iterate } from '../support/fake-control-backend.ts';

const fixture = useControlServer();
let { socketPath, backend, client }: ControlFixture = fixture;
beforeEach(() => {
  ({ socketPath, backend, client } = fixture);
});

describe('streams', () => {
  const line = (text: string): LogLine => ({
    atMs: 1,
    process: 'web.1',
    release: 'v1',
    stream: 'stdout',
    text,
  });

  it('give every line once and end', async () => {
    backend.logs = () => iterate(Array.from({ length: 5_000 }, (_, index) => line(`${index}`)));
    const texts = await collect(client.logs('bakery', {}), ({ text }) => text);
    expect(texts).toEqual(Array.from({ length: 5_000 }, (_, index) => `${index}`));
  });

  it('pass the query on', async () => {
    await collect(
      client.logs('bakery', { follow: true, tail: 5, sinceMs: 9, grep: 'a b&c' }),
      () => undefined,
    );
    expect(backend.calls).toEqual([
      ['logs', 'bakery', { follow: true, tail: 5, sinceMs: 9, grep: 'a b&c' }],
    ]);
  });

  it('answer an error before the first line like any other', async () => {
    backend.deployEvents = async function* () {
      throw new TandemError('DEPLOY_NOT_FOUND', 'no deploy 9');
    };
    expect(await codeOf(client.deployEvents('bakery', 9, { from: 0 }).next())).toBe(
      'DEPLOY_NOT_FOUND',
    );
  });

  it('give an error in the middle behind the lines before it', async () => {
    backend.logs = async function* () {
      yield line('one');
      throw new TandemError('DISK_FULL', 'no room');
    };
    const stream = client.logs('bakery', {});
    expect((await stream.next()).value).toMatchObject({ text: 'one' });
    expect(await codeOf(stream.next())).toBe('DISK_FULL');
  });

  it('wait for a slow reader instead of piling up', async () => {
    let produced = 0;
    backend.logs = async function* () {
      for (; produced < 20_000; produced++) yield line('x'.repeat(10_000));
    };
    const stream = client.logs('bakery', {});
    await stream.next();
    await sleep(300);
    expect(produced).toBeLessThan(2_000);
    await stream.return(undefined);
  });

  it('end at the source when the reader goes', async () => {
    let ended = false;
    backend.logs = async function* (_app, _query, signal) {
      try {
        yield line('one');
        await once(signal, 'abort');
      } finally {
        ended = true;
      }
    };
    const stream = client.logs('bakery', { follow: true });
    await stream.next();
    await stream.return(undefined);
    await eventually(() => expect(ended).toBe(true));
  });

  it('open before there is anything to say', async () => {
    const gone = new AbortController();
    backend.logs = async function* (_app, _query, signal) {
      await once(signal, 'abort');
      yield* [];
    };
    const waiting = client.logs('bakery', { follow: true }, gone.signal).next();
    await sleep(400);
    gone.abort();
    expect(await waiting).toMatchObject({ done: true });
  });

  it('are cut, never ended, by a closing server; the next one carries on', async () => {
    backend.logs = async function* (_app, _query, signal) {
      yield line('one');
      await once(signal, 'abort');
    };
    const stream = client.logs('bakery', { follow: true });
    await stream.next();
    const rest = codeOf(stream.next());
    await fixture.server.close();
    expect(await rest).toBe('PLATFORM_UNREACHABLE');
    expect(await codeOf(client.listApps())).toBe('PLATFORM_UNREACHABLE');
    await fixture.start();
    expect(await client.listApps()).toEqual([]);
  });

  it('serve two clients side by side', async () => {
    backend.logs = (app) =>
      iterate(Array.from({ length: 200 }, (_, index) => line(`${app} ${index}`)));
    const read = (app: string) => collect(client.logs(app, {}), ({ text }) => text);
    const [one, two] = await Promise.all([read('one'), read('two')]);
    expect(one).toEqual(Array.from({ length: 200 }, (_, index) => `one ${index}`));
    expect(two).toEqual(Array.from({ length: 200 }, (_, index) => `two ${index}`));
  });
});

const runRequest = () => ({ command: ['cat'], terminal: false, columns: 0, rows: 0 });

describe('run', () => {
  const framesOf = async (connection: Duplex): Promise<RunFrame[]> => {
    const decoder = new RunFrameDecoder();
    const frames: RunFrame[] = [];
    for await (const chunk of connection as AsyncIterable<Buffer>)
      frames.push(...decoder.push(chunk));
    return frames;
  };
  const last = (frames: readonly RunFrame[]): unknown[] => {
    const frame = frames.at(-1);
    return [frame?.channel, JSON.parse(String(frame?.payload))];
  };

  it('carries input, output and the exit code', async () => {
    const connection = await client.run('bakery', runRequest());
    connection.write(encodeRunFrame('stdin', Buffer.from('hello ')));
    connection.write(encodeRunFrame('stdin', Buffer.from('world')));
    connection.write(encodeRunFrame('stdin', Buffer.alloc(0)));
    const frames = await framesOf(connection);
    const output = frames
      .filter(({ channel }) => channel === 'output')
      .map(({ payload }) => payload);
    expect(Buffer.concat(output).toString()).toBe('HELLO WORLD');
    expect(last(frames)).toEqual(['exit', { code: 7 }]);
  });

  it('carries ten megabytes both ways with back-pressure', async () => {
    const connection = await client.run('bakery', runRequest());
    const sent = (async () => {
      for (let index = 0; index < 160; index++) {
        const frame = encodeRunFrame('stdin', Buffer.alloc(65_536, 'a'));
        if (!connection.write(frame)) await once(connection, 'drain');
      }
      connection.write(encodeRunFrame('stdin', Buffer.alloc(0)));
    })();
    const [frames] = await Promise.all([framesOf(connection), sent]);
    const output = frames
      .filter(({ channel }) => channel === 'output')
      .map(({ payload }) => payload);
    expect(output.reduce((sum, { length }) => sum + length, 0)).toBe(160 * 65_536);
    expect(last(frames)).toEqual(['exit', { code: 7 }]);
  });

  it('tells new sizes of the terminal', async () => {
    backend.run = async (_app, session) =>
      await new Promise((resolve) => session.onResize(({ columns }) => resolve(columns)));
    const connection = await client.run('bakery', { ...runRequest(), terminal: true });
    connection.write(encodeRunJson('resize', { columns: 33, rows: 9 }));
    expect(last(await framesOf(connection))).toEqual(['exit', { code: 33 }]);
  });

  it('gives errors of the backend, bad names and bad requests as the last frame', async () => {
    backend.run = async () => {
      throw new TandemError('APP_HAS_NO_RELEASE', 'nothing to run');
    };
    const errorOf = async (app: string, start: object): Promise<unknown> => {
      const frames = await framesOf(await client.run(app, start as never));
      return (last(frames)[1] as { code: string }).code;
    };
    expect(await errorOf('bakery', runRequest())).toBe('APP_HAS_NO_RELEASE');
    expect(await errorOf('No Name', runRequest())).toBe('APP_NAME_INVALID');
    expect(await errorOf('bakery', { ...runRequest(), command: [] })).toBe('REQUEST_INVALID');
  });

  it('ends the command when the client goes, and when it sends nonsense', async () => {
    const sessions: RunSession[] = [];
    backend.run = async (_app, session) => {
      sessions.push(session);
      await once(session.signal, 'abort');
      return 0;
    };
    const first = await client.run('bakery', runRequest());
    await eventually(() => expect(sessions).toHaveLength(1));
    first.destroy();
    await eventually(() => expect(sessions[0]?.signal.aborted).toBe(true));

    const second = await client.run('bakery', runRequest());
    await eventually(() => expect(sessions).toHaveLength(2));
    second.on('error', () => undefined).write(Buffer.from([99, 0, 0, 0, 1, 0]));
    await eventually(() => expect(sessions[1]?.signal.aborted).toBe(true));
    second.destroy();
  });

  it('refuses other paths and other protocols', async () => {
    for (const [path, upgrade] of [
      ['/v1/apps/bakery/walk', 'tandem-run'],
      ['/v1/apps/bakery/run', 'websocket'],
    ]) {
      const headers = { connection: 'Upgrade', upgrade };
      const outgoing = request({ socketPath, method: 'POST', path, headers, agent: false });
      outgoing.end();
      const [response] = (await once(outgoing, 'response')) as [Readable & { statusCode?: number }];
      expect(response.statusCode).toBe(404);
      response.resume();
    }
  });

  it('is cut by a closing server', async () => {
    backend.run = async (_app, session) => {
      await once(session.signal, 'abort');
      return 0;
    };
    const connection = await client.run('bakery', runRequest());
    const frames = framesOf(connection).catch(() => []);
    await sleep(50);
    await fixture.server.close();
    expect((await frames).some(({ channel }) => channel === 'exit')).toBe(false);
  });
});
