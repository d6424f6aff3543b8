// The part of the Sandbox contract that is about a process somebody sits at.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually, within, type SandboxUnderTest } from './sandbox-under-test.contract.ts';
import type { AttachedSession, Sandbox, SandboxSpec, TerminalSize } from './sandbox.ts';

export function describeAttachedContract(tested: () => SandboxUnderTest): void {
  const spec = (script: string): SandboxSpec => tested().spec(script);
  const opened = (): Sandbox => tested().sandbox;

  describe('runAttached', () => {
    function session(changes: Partial<AttachedSession> = {}) {
      const [stdin, output] = [new PassThrough(), new PassThrough()];
      const resizes: ((size: TerminalSize) => void)[] = [];
      const attached: AttachedSession = {
        stdin,
        output,
        onResize: (listener) => resizes.push(listener),
        signal: new AbortController().signal,
        ...changes,
      };
      const said = text(output);
      const ended = async (): Promise<string> => {
        output.end();
        return await said;
      };
      return {
        attached,
        stdin,
        output,
        ended,
        resize: (s: TerminalSize) =>
          resizes.forEach((r) => {
            r(s);
          }),
      };
    }

    it('joins input, output and exit status', async () => {
      const { attached, stdin, ended } = session();
      stdin.end('hello\n');
      const described = spec('read line; echo "got $line"; echo oops >&2; exit 9');
      expect((await opened().runAttached(described, attached)).code).toBe(9);
      const output = await ended();
      expect(output).toContain('got hello\n');
      expect(output).toContain('oops\n');
      expect(await opened().sweep(() => false)).toEqual([]);
    });

    it('gives a terminal with a size that follows, and Ctrl-C', async () => {
      const { attached, stdin, ended, output, resize } = session({
        terminal: { columns: 100, rows: 30 },
      });
      let seen = '';
      output.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      const script = `stty size; trap 'echo interrupted; stty size; exit 8' INT
      echo ready; while :; do sleep 0.05; done`;
      const running = opened().runAttached(spec(script), attached);
      await eventually(() => seen.includes('ready'));
      resize({ columns: 90, rows: 20 });
      await sleep(300);
      stdin.write('\x03');
      expect((await within(running)).code).toBe(8);
      const said = await ended();
      expect(said).toContain('30 100');
      expect(said).toContain('interrupted');
      expect(said).toContain('20 90');
    });

    it('ends with its session', async () => {
      const abort = new AbortController();
      const { attached, ended } = session({ signal: abort.signal });
      const described = spec(`trap '' TERM; sleep 60`);
      const running = opened()
        .runAttached(described, attached)
        .catch((error: unknown) => error);
      await sleep(500);
      abort.abort();
      await within(running);
      await ended();
      expect(await opened().sweep(() => false)).toEqual([]);
    });
  });
}
