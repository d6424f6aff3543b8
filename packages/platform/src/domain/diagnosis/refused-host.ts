// Django answers 400 to a host that ALLOWED_HOSTS lacks; our start-up hook writes that to the log.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';

export function refusedHost(input: DiagnosisInput): ErrorBody | undefined {
  if (input.phase !== 'probe') return undefined;
  const refusals = [...input.logTail.matchAll(/Invalid HTTP_HOST header: '([^']+)'/g)];
  const host = refusals.at(-1)?.[1];
  if (host === undefined || (input.host !== undefined && !sameHost(host, input.host))) {
    return undefined;
  }
  const name = host.replace(/:\d+$/, '');
  return {
    code: 'HOST_REFUSED',
    message: `Django refuses host "${name}".`,
    where: input.settingsModule ? `ALLOWED_HOSTS in ${input.settingsModule}` : 'ALLOWED_HOSTS',
    hint: `add "${name}" to ALLOWED_HOSTS, or to the variable it is read from: tandem config set ALLOWED_HOSTS=${name}`,
  };
}

function sameHost(one: string, other: string): boolean {
  const bare = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');
  return bare(one) === bare(other);
}
