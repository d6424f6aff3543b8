// A daemon of the platform in the place of this process, from the checkout that this command belongs
// to: it has our pid, our terminal, our signals, and its exit status is ours.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';

/** The sources lie as deep as the bundle: packages/cli/{src,dist}. */
const PACKAGES = join(import.meta.dirname, '../..');

/** Returns only by throwing. */
export function becomeDaemon(name: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const program = findDaemon(name);
  if (!process.execve) throw new TandemError('INTERNAL', 'this Node cannot replace itself');
  process.execve(process.execPath, [process.execPath, program, ...args], env);
}

function findDaemon(name: string): string {
  const program = join(PACKAGES, 'platform/dist/daemons', `${name}.js`);
  if (existsSync(program)) return program;
  const isCheckout = existsSync(join(PACKAGES, 'platform/package.json'));
  throw new TandemError('PLATFORM_NOT_HERE', `${program} is missing`, {
    hint: isCheckout
      ? `Build it: ${join(PACKAGES, '../script/bootstrap')}`
      : 'The balancer comes with the platform. In a checkout of Tandem on this machine: script/bootstrap, then packages/cli/dist/tandem.js balancer.',
  });
}
