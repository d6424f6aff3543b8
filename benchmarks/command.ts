// Child processes of the benchmark: run to the end, loudly when they fail.
import { spawn } from 'node:child_process';

const TIMEOUT_MS = 15 * 60_000;

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Standard output. Throws with everything the command said when it fails. */
export async function run(
  argv: readonly [string, ...string[]],
  { cwd, env }: CommandOptions = {},
): Promise<string> {
  const [file, ...args] = argv;
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${argv.join(' ')}: ${code ?? signal}\n${stdout}\n${stderr}`));
    });
  });
}
