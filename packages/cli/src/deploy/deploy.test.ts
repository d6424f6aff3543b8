import { TandemError, type DeployEvent } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import { Output } from '../output/output.ts';
import { followDeploy } from './follow.ts';
import { Narrator } from './narrator.ts';

const event = (seq: number, body: Record<string, unknown>): DeployEvent =>
  ({ seq, atMs: seq, ...body }) as DeployEvent;
const log = (seq: number): DeployEvent => event(seq, { type: 'log', text: `${seq}` });
const finished = (seq: number): DeployEvent => event(seq, { type: 'finished' });
const unreachable = () => new TandemError('PLATFORM_UNREACHABLE', 'gone');

type Attempt = readonly (DeployEvent | Error)[];

/** A platform that goes away in the ways listed, one connection after the other. */
function platform(...attempts: Attempt[]) {
  const asked: number[] = [];
  let revived = 0;
  const deployEvents = async function* (_app: string, _deploy: number, { from }: { from: number }) {
    asked.push(from);
    for (const item of attempts.shift() ?? [unreachable()]) {
      if (item instanceof Error) throw item;
      yield item;
    }
  };
  const connection = {
    client: { deployEvents },
    revive: async () => void (revived += 1),
  } as unknown as Connection;
  return { connection, asked, revivals: () => revived };
}

async function follow(connection: Connection, patienceMs = 5_000): Promise<number[]> {
  const { signal } = new AbortController();
  const seqs: number[] = [];
  const options = { signal, patienceMs, onAway: () => undefined };
  for await (const { seq } of followDeploy(connection, { app: 'a', deploy: 3 }, options)) {
    seqs.push(seq);
  }
  return seqs;
}

describe('followDeploy', () => {
  it('attaches again where it stopped, every event once', async () => {
    const { connection, asked, revivals } = platform(
      [log(0), log(1), unreachable()],
      [unreachable()],
      [log(2)],
      [log(1), log(2), log(3), finished(4)],
    );
    expect(await follow(connection)).toEqual([0, 1, 2, 3, 4]);
    expect(asked).toEqual([0, 2, 2, 3]);
    expect(revivals()).toBe(3);
  });

  it('gives up after its patience, and says how to come back', async () => {
    const { connection } = platform([log(0)]);
    await expect(follow(connection, 300)).rejects.toMatchObject({
      code: 'PLATFORM_UNREACHABLE',
      hint: 'tandem deploys 3 -a a',
    });
  });

  it('does not try again what was refused', async () => {
    const { connection, asked } = platform([new TandemError('DEPLOY_NOT_FOUND', 'x')]);
    await expect(follow(connection)).rejects.toMatchObject({ code: 'DEPLOY_NOT_FOUND' });
    expect(asked).toEqual([0]);
  });

  it('ends quietly when the user has detached', async () => {
    const detach = new AbortController();
    const { connection } = platform([log(0)]);
    const options = { signal: detach.signal, onAway: () => detach.abort() };
    const seqs: number[] = [];
    for await (const { seq } of followDeploy(connection, { app: 'a', deploy: 1 }, options)) {
      seqs.push(seq);
    }
    expect(seqs).toEqual([0]);
  });
});

describe('Narrator', () => {
  function tell(events: Record<string, unknown>[], verbose = false): string {
    let text = '';
    const screen = { write: (part: string) => (text += part) };
    const output = new Output({
      stdout: screen,
      stderr: screen,
      json: false,
      verbose,
      color: false,
    });
    const narrator = new Narrator(output);
    for (const [seq, body] of events.entries()) narrator.tell(event(seq, body));
    narrator.tellLastLines();
    return text;
  }
  const phase = (name: string, state: string, detail = '', ms?: number) => ({
    type: 'phase',
    phase: name,
    state,
    detail,
    ...(ms === undefined ? {} : { ms }),
  });

  it('names a phase once and lists its steps below', () => {
    expect(
      tell([
        phase('upload', 'done', 'never told twice', 5),
        phase('build', 'started'),
        phase('build', 'progress', 'still at it'),
        phase('build', 'progress', 'dependencies 9f31c2, 32 packages', 11_800),
        phase('build', 'progress', 'code 77ab01, 431 static files', 1_300),
        phase('build', 'done'),
        phase('migrate', 'skipped', 'nothing to do'),
        phase('start', 'done', 'web.1: GET / 200', 1_100),
      ]),
    ).toBe(
      [
        'Build    dependencies 9f31c2, 32 packages                   11.8 s',
        '         code 77ab01, 431 static files                       1.3 s',
        'Start    web.1: GET / 200                                    1.1 s',
        '',
      ].join('\n'),
    );
  });

  it('tells findings with their evidence, the reasons on demand', () => {
    const finding = {
      type: 'finding',
      finding: {
        rule: 'settings',
        value: 'a.prod',
        why: 'named by wsgi.py',
        evidence: 'wsgi.py:3',
      },
    };
    expect(tell([finding])).toBe('Detect   settings a.prod (wsgi.py:3)\n');
    expect(tell([finding], true)).toBe('Detect   settings a.prod (wsgi.py:3); named by wsgi.py\n');
    const guess = { ...finding, finding: { ...finding.finding, confidence: 'guess' } };
    expect(tell([guess])).toBe('Detect   settings a.prod (wsgi.py:3, guess)\n');
  });

  it('keeps the last lines of the phase that failed, harmless ones', () => {
    const logs = Array.from({ length: 20 }, (_, index) => ({
      type: 'log',
      text: `\u001b[2Jl${index}`,
    }));
    const text = tell([
      phase('build', 'started'),
      { type: 'log', text: 'of the build' },
      phase('migrate', 'started'),
      ...logs,
      phase('migrate', 'failed', '0002_x'),
    ]);
    expect(text.startsWith('Migrate  0002_x\n  | l8\n')).toBe(true);
    expect(text.endsWith('  | l19\n')).toBe(true);
  });
});
