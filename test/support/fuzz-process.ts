// Runs the fuzzer as `npm run fuzz` does, in a process of its own: it instruments what it loads.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const FUZZ = join(import.meta.dirname, '../../fuzz/main.ts');

export const FUZZ_TARGETS = [
  ...['request-head', 'response-head', 'chunked', 'routes-file', 'proxy-header'],
  ...['requests', 'answers'],
] as const;

export async function runFuzz(
  ...args: readonly string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=development', FUZZ, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
