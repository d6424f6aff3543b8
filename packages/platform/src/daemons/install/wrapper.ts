// `tandem` on PATH, for the default installation. Never over something that is not ours.
import { readFile, rm } from 'node:fs/promises';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { cliFile, type Checkout } from './machine.ts';

const PATH = '/usr/local/bin/tandem';
const OURS = '# Written by script/up of Tandem.';

/** False when another program has the name. */
export async function installWrapper(checkout: Checkout): Promise<boolean> {
  const present = await readFile(PATH, 'utf8').catch(() => undefined);
  if (present !== undefined && !present.includes(OURS)) return false;
  const wanted = `#!/bin/sh\n${OURS}\nexec ${checkout.node} ${cliFile(checkout)} "$@"\n`;
  if (present !== wanted) await writeFileAtomic(PATH, wanted, 0o755);
  return true;
}

export async function removeWrapper(): Promise<void> {
  const present = await readFile(PATH, 'utf8').catch(() => '');
  if (present.includes(OURS)) await rm(PATH);
}
