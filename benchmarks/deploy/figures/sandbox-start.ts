// How much later a process begins because it is sandboxed. Measured by sandbox-starts.ts in a process
// of its own.
import { join } from 'node:path';
import { runCompiled } from '../compiled-script.ts';
import { median } from '../../median.ts';
import type { Figure } from '../figure.ts';
import type { SandboxStarts } from './sandbox-starts.ts';

const MS_MORE_MAX = 40;
const SCRIPT = join(import.meta.dirname, 'sandbox-starts.ts');

export async function measureSandboxStart(scratch: string, rounds: number): Promise<Figure> {
  const output = await runCompiled(SCRIPT, [String(rounds)], scratch);
  const { measured, bare } = JSON.parse(output) as SandboxStarts;
  return {
    name: 'sandboxed start',
    unit: 'ms',
    target: '<= bare exec + 40 ms',
    measured,
    bare,
    allowed: median(bare) + MS_MORE_MAX,
  };
}
