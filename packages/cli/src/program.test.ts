import { describe, expect, it } from 'vitest';
import { buildProgram, splitColons, usageError, type Parsed } from './program.ts';
import { VERB_GROUPS } from './verbs/index.ts';

async function parse(...argv: string[]): Promise<Parsed & { printed: string }> {
  let parsed: Parsed | undefined;
  let printed = '';
  const program = buildProgram({
    version: '1.2.3',
    write: (text) => (printed += text),
    onCommand: async (given) => {
      parsed = given;
    },
  });
  await program.parseAsync(splitColons(argv), { from: 'user' }).catch((error: unknown) => {
    const usage = usageError(error);
    if (usage) throw usage;
  });
  return { ...(parsed as Parsed), printed };
}

describe('the command line', () => {
  it('takes common options before and behind the verb', async () => {
    for (const argv of [
      ['-a', 'x', 'ps', '--json'],
      ['ps', '--json', '-a', 'x'],
      ['--json', 'ps', '--app=x'],
    ]) {
      const { verb, options } = await parse(...argv);
      expect(verb.name).toBe('ps');
      expect(options).toMatchObject({ app: 'x', json: true });
    }
  });

  it('reads config:set as config set', async () => {
    const { verb, args, options } = await parse('config:set', 'A=1', 'B=x:y', '--stage', '-a', 'x');
    expect([verb.name, args]).toEqual(['set', ['A=1', 'B=x:y']]);
    expect(options).toMatchObject({ stage: true, app: 'x' });
    expect((await parse('config')).verb.name).toBe('config');
    expect((await parse('config', 'get', 'A')).verb.name).toBe('get');
  });

  it('leaves the command of run alone', async () => {
    const { args, options } = await parse('run', '-a', 'x', 'python', 'm.py', '-a', 'y', '--json');
    expect(args).toEqual(['python', 'm.py', '-a', 'y', '--json']);
    expect(options['app']).toBe('x');
    expect((await parse('run', '--', 'config:set', '--help')).args).toEqual([
      'config:set',
      '--help',
    ]);
    expect((await parse('run')).args).toEqual([]);
  });

  it('never takes the app as an argument', async () => {
    await expect(parse('ps', 'bakery')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it.each([
    [['deplyo'], /deplyo.*Did you mean deploy/],
    [['ps', '--wyh'], /--wyh.*Did you mean --why/],
    [['config', 'set'], /missing/i],
    [['scale', '--json', '-a'], /argument missing/],
  ])('refuses %j', async (argv, message) => {
    await expect(parse(...argv)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    });
  });

  it('prints help and version without being wrong', async () => {
    expect((await parse('--version')).printed).toBe('1.2.3\n');
    expect((await parse('--help')).printed).toContain('Daily work:');
    expect((await parse()).printed).toContain('Daily work:');
    expect((await parse('deploy', '--help')).printed).toContain('--retry');
  });
});

it('has a summary of one sentence for every verb', () => {
  for (const { summary, name } of VERB_GROUPS.flatMap(({ verbs }) => verbs)) {
    expect(summary, name).toMatch(/^[A-Z].*\.$/);
  }
});
