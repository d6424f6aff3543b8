// Why apt could not do it, from what it said. Pure.
import { TandemError } from '@tandem/protocol';
import { buildDiskFull, saysDiskFull } from '../diagnosis/full-disk.ts';
import type { PackageSpec } from './package-spec.ts';

const UNREACHABLE =
  /(?:Failed to fetch (\S+)|Could not resolve '([^']+)'|Unable to connect to (\S+)|Could not connect to (\S+))/;
const UNMET = /^ (\S+) : ((?:Depends|PreDepends|Conflicts|Breaks): .*)$/m;

export function explainApt(logTail: string, specs: readonly PackageSpec[]): TandemError {
  if (saysDiskFull(logTail)) return buildDiskFull();
  const where = specs.map(({ evidence, text }) => `${evidence} ${text}`).join(', ');
  const unreachable = UNREACHABLE.exec(logTail);
  if (unreachable !== null) {
    const place = unreachable.slice(1).find((one) => one !== undefined) ?? '';
    return new TandemError('REGISTRY_UNREACHABLE', `The Debian archive did not answer: ${place}.`, {
      hint: 'try again: tandem deploy; the mirror is the one of the machine: /etc/apt/sources.list',
    });
  }
  const unmet = UNMET.exec(logTail);
  if (unmet !== null || /held broken packages|need to be removed/.test(logTail)) {
    const [, name, reason] = unmet ?? [];
    const why = name === undefined ? lastError(logTail) : `${name} ${reason ?? ''}`;
    return new TandemError(
      'SYSTEM_PACKAGE_UNAVAILABLE',
      `The system packages do not go together: ${why.trim()}.`,
      { where, hint: 'ask for fewer, or for other versions' },
    );
  }
  const message = `The system packages could not be installed: ${lastError(logTail)}`;
  return new TandemError('SYSTEM_PACKAGE_FAILED', message, {
    where,
    hint: 'what the packages said is in the log above',
  });
}

/** What dpkg says of the package; apt's own last line only names dpkg. */
function lastError(text: string): string {
  const lines = text.trim().split('\n');
  const said = lines.filter((line) => /^(dpkg: )?error|^E: (?!Sub-process)|: error: /i.test(line));
  return said.at(-1) ?? lines.at(-1) ?? '';
}
