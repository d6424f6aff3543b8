import { describe, expect, it } from 'vitest';
import type { Exchange } from '../exchange.ts';
import { BasicAuth, credentialsOf } from './basic-auth.ts';
import { hashPassword, verifyPassword } from './password.ts';
import { VerificationQueue } from './verification-queue.ts';

const header = (credentials: string | Buffer, scheme = 'Basic'): string =>
  `${scheme} ${Buffer.from(credentials).toString('base64')}`;

describe('credentials', () => {
  it.each([
    ['ada:secret', 'ada', 'secret'],
    ['ada:a:b:', 'ada', 'a:b:'],
    ['ada:', 'ada', ''],
    [':', '', ''],
    ['jürgen:pässwörd €', 'jürgen', 'pässwörd €'],
  ])('%s', (text, user, password) =>
    expect(credentialsOf(header(text))).toEqual({ user, password }),
  );

  it('may be in Latin-1, and the scheme in any case', () => {
    expect(credentialsOf(header(Buffer.from('j\xfc:x', 'latin1'), 'bASIC'))?.user).toBe('jü');
  });

  it.each([
    ...[
      undefined,
      '',
      'Basic',
      'Basic ',
      'Basic ?',
      'Bearer YTpi',
      'YTpi',
      'Basic YTpi, Basic YTpi',
    ],
    ...[header('no colon'), header('a:b\0'), header('a\n:b'), header(`a:${'x'.repeat(800)}`)],
    ...['Basic  \tYTpi', 'Basic YT=pi', 'Digest username="a"'],
  ])('are not %j', (text) => expect(credentialsOf(text)).toBeUndefined());
});

describe('a password hash', () => {
  it('is another one each time, and verifies its password only', async () => {
    const [one, two] = [await hashPassword('secret'), await hashPassword('secret')];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    expect(await verifyPassword('secret', one)).toBe(true);
    for (const wrong of ['Secret', 'secret ', ''])
      expect(await verifyPassword(wrong, one)).toBe(false);
  });

  it.each([
    ...['', 'secret', '$2y$05$abc', '$scrypt$ln=15,r=8,p=1$short$short'],
    `$scrypt$ln=25,r=8,p=1$${'a'.repeat(22)}$${'a'.repeat(43)}`,
    `$scrypt$ln=1,r=8,p=1$${'a'.repeat(22)}$${'a'.repeat(43)}`,
    `$scrypt$ln=20,r=99,p=1$${'a'.repeat(22)}$${'a'.repeat(43)}`,
  ])('is not %j', async (hash) => expect(await verifyPassword('secret', hash)).toBe(false));
});

describe('BasicAuth', () => {
  const ask = (path: string, authorization?: string): Exchange =>
    ({ path, header: () => authorization }) as unknown as Exchange;

  it('asks once for what many ask at the same time', async () => {
    let runs = 0;
    const queue = new VerificationQueue();
    const run = queue.run.bind(queue);
    queue.run = (verify) => ((runs += 1), run(verify));
    const auth = new BasicAuth({ users: { ada: await hashPassword('x') } }, queue);
    const right = ask('/', header('ada:x'));
    const asked = Array.from({ length: 20 }, async () => await auth.judge(right));
    const verdicts = await Promise.all(asked);
    expect(new Set(verdicts)).toEqual(new Set([undefined]));
    expect(auth.judge(right)).toBeUndefined();
    await auth.judge(ask('/', header('ada:y')));
    expect(auth.judge(ask('/', header('ada:y')))).toMatchObject({ status: 401 });
    expect(runs).toBe(2);
  });

  it('does not let right passwords be forgotten for wrong ones', async () => {
    let runs = 0;
    const queue = new VerificationQueue();
    const auth = new BasicAuth({ users: { ada: await hashPassword('x') } }, queue);
    const run = queue.run.bind(queue);
    queue.run = (verify) => (runs === 0 ? run(verify) : (Promise.resolve(false) as never));
    await auth.judge(ask('/', header('ada:x')));
    runs = 1;
    for (let n = 0; n < 2_000; n += 1) await auth.judge(ask('/', header(`ada:guess${n}`)));
    expect(auth.judge(ask('/', header('ada:x')))).toBeUndefined();
  });
});

describe('VerificationQueue', () => {
  it('runs a few at a time, lets a few wait, and refuses the rest', async () => {
    const queue = new VerificationQueue(2, 3);
    let underWay = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const work = async (): Promise<number> => {
      most = Math.max(most, (underWay += 1));
      await new Promise<void>((resolve) => gates.push(resolve));
      return (underWay -= 1);
    };
    const runs = Array.from({ length: 7 }, () => queue.run(work));
    expect(runs.map((run) => run === undefined)).toEqual([
      ...[false, false, false, false, false, true, true],
    ]);
    for (let n = 0; n < 5; n += 1) {
      gates.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(runs.map(async (run) => await run));
    expect(most).toBe(2);
  });

  it('goes on after a failure', async () => {
    const queue = new VerificationQueue(1, 1);
    await expect(queue.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await queue.run(() => Promise.resolve(1))).toBe(1);
  });
});
