// Names of an instance's network in the kernel, all derived from its IPv6 address, which is never
// used twice: whoever knows the address finds what belongs to it.
import { interfacePrefix, type Installation } from '../../domain/installation.ts';

/** Of the host's end of the veth pair, and of the namespace: `td00-` and the counter in base 36. */
export function instanceName(
  installation: Pick<Installation, 'slot' | 'ipv6Prefix'>,
  ipv6: string,
): string {
  const prefix = `${installation.ipv6Prefix}:0:`;
  const groups = ipv6.startsWith(prefix) ? ipv6.slice(prefix.length).split(':') : [];
  if (groups.length !== 3 || groups.some((group) => !/^[0-9a-f]{1,4}$/.test(group))) {
    throw new RangeError(`${ipv6} is not an instance address of ${installation.ipv6Prefix}::/64`);
  }
  const counter = groups.reduce((sum, group) => sum * 0x1_0000 + parseInt(group, 16), 0);
  return `${interfacePrefix(installation.slot)}${counter.toString(36)}`;
}

/** Where ip-netns(8) keeps named namespaces. */
export const NAMESPACE_DIRECTORY = '/run/netns';
