// One question on the terminal. Ctrl-C and the end of input answer with nothing.
import { createInterface } from 'node:readline/promises';
import type { Session } from '../session.ts';

export async function ask({ io, interrupts }: Session, question: string): Promise<string> {
  const lines = createInterface({ input: io.stdin, output: io.stderr as NodeJS.WriteStream });
  const closed = new AbortController();
  lines.once('close', () => closed.abort());
  lines.once('SIGINT', () => interrupts.press());
  try {
    return (await lines.question(question, { signal: closed.signal })).trim();
  } catch {
    return '';
  } finally {
    lines.close();
  }
}
