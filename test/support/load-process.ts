// Starts the load generator and collects its report.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LoadOptions, LoadReport } from './load.ts';

export interface Load {
  /** Ends it in order; every request under way still counts. */
  stop(): Promise<LoadReport>;
}

/** Resolves once the first requests are on their way. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const program = join(import.meta.dirname, 'load.ts');
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the load generator ended without a report');
    return value;
  };
  await nextLine();
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs + 10_000);
      try {
        return JSON.parse(await nextLine()) as LoadReport;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
