// The package index did not answer, or not to us.
import type { ErrorBody } from '@tandem/protocol';
import type { InstallFailure } from './evidence.ts';

const UNREACHABLE =
  /error sending request|dns error|tcp connect error|operation timed out|Connection refused|invalid peer certificate|lack of valid authentication credentials \((?:401|403)|HTTP status (?:client|server) error \((?:401|403|5\d\d)/;

export function unreachableIndex({ logTail, file }: InstallFailure): ErrorBody | undefined {
  const said = UNREACHABLE.exec(logTail);
  if (said === null) return undefined;
  const url = /Failed to (?:fetch|download)[:\s]+[^\n]*?(https?:\/\/[^\s`)]+)/.exec(logTail)?.[1];
  const asked = /An index URL \((https?:\/\/[^\s)]+)\) could not be queried/.exec(logTail)?.[1];
  const host = hostOf(url ?? asked ?? /https?:\/\/[^\s`)]+/.exec(logTail)?.[0]);
  const refused = /401|403/.test(said[0]);
  return {
    code: 'REGISTRY_UNREACHABLE',
    message: refused
      ? `The package index ${host} refuses us: ${said[0]}.`
      : `The package index ${host} did not answer: ${said[0]}.`,
    where: file,
    hint: refused
      ? 'check the credentials of the index: tandem config set PIP_INDEX_URL=https://USER:PASSWORD@HOST/simple'
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
