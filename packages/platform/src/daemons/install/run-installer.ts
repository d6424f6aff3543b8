// What `up` and `down` have in common: root, messages, exit status.
import { TandemError, toTandemError } from '@tandem/protocol';

export const say = (line: string): void => void process.stderr.write(`${line}\n`);

export async function runInstaller(
  { command, usage }: { command: string; usage: string },
  main: () => Promise<void>,
): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(`${usage}\n`);
  try {
    if (process.getuid?.() !== 0) {
      throw new TandemError('MACHINE_UNFIT', 'Only root can do this.', { hint: `sudo ${command}` });
    }
    await main();
  } catch (thrown) {
    const error = toTandemError(thrown);
    say(`${command}: ${error.message}`);
    for (const more of [error.where, error.hint, error.log]) if (more !== undefined) say(more);
    if (error.code === 'INTERNAL') say(String((thrown as Error).stack));
    process.exitCode = error.kind === 'user' ? 1 : 70;
  }
}
