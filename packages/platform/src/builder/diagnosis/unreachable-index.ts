// The package index did not answer, or not to us.
import type { ErrorBody } from '@tandem/protocol';
import { normalizeName } from '../detect/requirements-file.ts';
import { whereOf, type InstallFailure } from './evidence.ts';

const UNREACHABLE =
  /error sending request|dns error|tcp connect error|operation timed out|Connection refused|invalid peer certificate|lack of valid authentication credentials \((?:401|403)|HTTP status (?:client|server) error \((?:401|403|5\d\d)/;
const PUBLIC_HOSTS = ['pypi.org', 'pypi.python.org', 'files.pythonhosted.org'];

export function unreachableIndex(failure: InstallFailure): ErrorBody | undefined {
  const { logTail } = failure;
  const said = UNREACHABLE.exec(logTail)?.[0];
  if (said === undefined) return undefined;
  const url = /Failed to (?:fetch|download)[:\s]+[^\n]*?(https?:\/\/[^\s`)]+)/.exec(logTail)?.[1];
  const asked = /An index URL \((https?:\/\/[^\s)]+)\) could not be queried/.exec(logTail)?.[1];
  const host = hostOf(url ?? asked ?? /https?:\/\/[^\s`)]+/.exec(logTail)?.[0]);
  const isRefused = /401|403/.test(said);
  // The page of a package is asked for at every index; a file of it lies at one.
  const file = /\/([A-Za-z0-9_.]+)-\d[^/]*\.(?:whl|zip|tar\.\w+)$/.exec(url ?? '')?.[1];
  const named = /Failed to download `([\w.-]+)/.exec(logTail)?.[1] ?? file;
  const declared = failure.indexes?.find((one) => hostOf(one.url) === host);
  const wanted = named === undefined ? '' : `, which ${named} comes from,`;
  return {
    code: 'REGISTRY_UNREACHABLE',
    message: isRefused
      ? `The package index ${host}${wanted} refuses us: ${said}.`
      : `The package index ${host}${wanted} did not answer: ${reasonIn(logTail) ?? said}.`,
    where: named === undefined ? failure.file : whereOf(failure, [normalizeName(named)]),
    hint: isRefused ? credentials(declared?.name) : elsewhere(host, declared?.evidence),
  };
}

/** What lies below "error sending request": the last cause says it. */
function reasonIn(log: string): string | undefined {
  const causes = [
    [/dns error|failed to lookup address|Name or service not known/, 'its name is not known here'],
    [/Connection refused/, 'it refuses the connection'],
    [/invalid peer certificate[^\n]*/, undefined],
    [/timed out/, 'it took too long'],
  ] as const;
  const found = causes.find(([pattern]) => pattern.test(log));
  return found?.[1] ?? found?.[0].exec(log)?.[0];
}

function credentials(name: string | undefined): string {
  if (name === undefined) {
    return 'check the credentials of the index: tandem config set PIP_INDEX_URL=https://USER:PASSWORD@HOST/simple';
  }
  const key = `UV_INDEX_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
  return `check the credentials of the index: tandem config set ${key}_USERNAME=USER ${key}_PASSWORD=PASSWORD`;
}

/** The public one may have a mirror; another is the project's own choice. */
function elsewhere(host: string, evidence: string | undefined): string {
  const again = `make ${host} reachable from this machine, and deploy again`;
  if (PUBLIC_HOSTS.includes(host)) {
    return `${again}\nor ask a mirror of it: tandem config set PIP_INDEX_URL=https://MIRROR/simple`;
  }
  if (evidence === undefined) return `${again}\nor name another index in the file`;
  return `${again}\nor name another index in ${evidence}, and make the lock again if there is one`;
}

/** Without credentials, which a URL may carry. */
function hostOf(url: string | undefined): string {
  try {
    return new URL(url ?? '').host;
  } catch {
    return 'that was asked';
  }
}
