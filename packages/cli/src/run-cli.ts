// One command line from its words to its exit status.
import { toTandemError } from '@tandem/protocol';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import type { Interrupts } from './interrupts.ts';
import { Output, wantsColor } from './output/output.ts';
import { buildProgram, splitColons, usageError, type Parsed } from './program.ts';
import { Session, type Io } from './session.ts';

export interface CliOptions {
  readonly io: Io;
  readonly interrupts: Interrupts;
  readonly version: string;
}

export async function runCli(argv: readonly string[], options: CliOptions): Promise<number> {
  const { io, version } = options;
  let exitCode: number = EXIT.ok;
  const program = buildProgram({
    version,
    write: (text) => io.stdout.write(text),
    onCommand: async (parsed) => {
      exitCode = await execute(parsed, options);
    },
  });
  try {
    await program.parseAsync(splitColons(argv), { from: 'user' });
    return exitCode;
  } catch (thrown) {
    const error = usageError(thrown);
    if (!error) return EXIT.ok;
    outputFor(io, argv.includes('--json'), false).failure(error);
    return exitCodeOf(error);
  }
}

async function execute(parsed: Parsed, { io, interrupts }: CliOptions): Promise<number> {
  const { verb, args, options } = parsed;
  // Events are for programs too.
  const json = options['json'] === true || options['events'] === true;
  const output = outputFor(io, json, options['verbose'] === true);
  const session = new Session({ io, output, interrupts, common: options });
  try {
    return (await verb.run({ session, args, options })) ?? EXIT.ok;
  } catch (thrown) {
    output.settle();
    output.failure(toTandemError(thrown));
    return exitCodeOf(thrown);
  } finally {
    output.settle();
    await session.close();
  }
}

function outputFor(io: Io, json: boolean, verbose: boolean): Output {
  const color = wantsColor(io.stdout, io.env);
  return new Output({ stdout: io.stdout, stderr: io.stderr, json, verbose, color });
}
