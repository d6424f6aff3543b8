import { describe, expect, it } from 'vitest';
import { CommandFailed, runCommand, runToExit } from './run-command.ts';

const options = { timeoutMs: 5_000 };

describe('runCommand', () => {
  it('gives output and passes input', async () => {
    const result = await runCommand(['cat'], { ...options, input: 'hello' });
    expect(result.stdout).toBe('hello');
  });

  it('rejects a non-zero exit with what the command said', async () => {
    const failed = runCommand(['sh', '-c', 'echo broken >&2; exit 3'], options);
    await expect(failed).rejects.toThrow(CommandFailed);
    await expect(runCommand(['sh', '-c', 'echo broken >&2; exit 3'], options)).rejects.toThrow(
      /ended with 3: broken/,
    );
  });

  it('rejects a command that does not exist', async () => {
    await expect(runCommand(['/no/such/command'], options)).rejects.toThrow(/ENOENT/);
  });

  it('stops a command that outlasts its time', async () => {
    await expect(runCommand(['sleep', '20'], { timeoutMs: 50 })).rejects.toThrow(/stopped/);
  });

  it('does not hand on our environment', async () => {
    const result = await runCommand(['env'], options);
    expect(result.stdout).not.toContain('HOME=');
  });

  it('counts a killed child as a shell does', async () => {
    const result = await runToExit(['sh', '-c', 'kill -9 $$'], options);
    expect(result.exitCode).toBe(137);
  });

  it('hands out lines while the command runs', async () => {
    const lines: string[] = [];
    const onLine = (line: string): number => lines.push(line);
    await runCommand(['sh', '-c', 'echo one; echo two >&2'], { ...options, onLine });
    expect(lines.sort()).toEqual(['one', 'two']);
  });
});
