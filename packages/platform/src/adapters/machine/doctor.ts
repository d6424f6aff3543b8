// Looks at the machine: what Tandem needs of it, and what on it stands in Tandem's way. Changes
// nothing that outlasts the call.
import { failed, type Check } from './check.ts';
import { findFirewallTrouble } from './firewall-checks.ts';
import { checkKernel } from './kernel-checks.ts';
import { checkPrograms } from './program-checks.ts';
import { checkDisk, checkMemory, checkNameservers, checkPort } from './resource-checks.ts';

export interface ExaminationOptions {
  /** Where data go; default /var/lib. */
  readonly dataDirectory?: string;
  /** Looked at when given: leave it out while Tandem itself listens there. */
  readonly httpPort?: number;
  /** Directories that programs are looked up in, as in PATH. */
  readonly searchPath?: string;
  readonly resolvConfPath?: string;
}

export async function examineMachine(options: ExaminationOptions = {}): Promise<Check[]> {
  const { dataDirectory = '/var/lib', httpPort, searchPath, resolvConfPath } = options;
  const checks = await Promise.all([
    guarded('kernel', checkKernel()),
    guarded('programs', checkPrograms(searchPath)),
    guarded('firewall', findFirewallTrouble()),
    guarded('disk', checkDisk(dataDirectory)),
    guarded('memory', checkMemory()),
    guarded('dns', checkNameservers(resolvConfPath)),
    ...(httpPort === undefined ? [] : [guarded('port', checkPort(httpPort))]),
  ]);
  return checks.flat();
}

/** A look that fails is a finding too, and no reason to keep back the others. */
async function guarded(name: string, look: Promise<Check | Check[]>): Promise<Check[]> {
  try {
    return [await look].flat();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [failed(name, `could not be examined: ${message}`, 'run tandem doctor as root')];
  }
}
