// The package index did not answer, or not to us.
import type { ErrorBody } from '@tandem/protocol';
import type { InstallFailure } from './evidence.ts';

const UNREACHABLE =
  /error sending request|dns error|tcp connect error|operation timed out|Connection refused|invalid peer certificate|HTTP status (?:client|server) error \((?:401|403|5\d\d)/;

export function unreachableIndex({ logTail, file }: InstallFailure): ErrorBody | undefined {
  const said = UNREACHABLE.exec(logTail);
  if (said === null) return undefined;
  const url = /Failed to (?:fetch|download)[:\s]+[^\n]*?(https?:\/\/[^\s`)]+)/.exec(logTail)?.[1];
  const host = hostOf(url ?? /https?:\/\/[^\s`)]+/.exec(logTail)?.[0]);
  const refused = /401|403/.test(said[0]);
  return {
    code: 'REGISTRY_UNREACHABLE',
    message: refused
      ? `The package index ${host} refuses us: ${said[0]}.`
      : `The package index ${host} did not answer: ${said[0]}.`,
    where: file,
    hint: refused
      ? 'check the credentials of the index'
      : 'tandem deploy --retry, or: tandem doctor',
  };
}

/** Without credentials, which a URL may carry. */
function hostOf(url: string | undefined): string {
  try {
    return new URL(url ?? '').host;
  } catch {
    return 'that was asked';
  }
}
