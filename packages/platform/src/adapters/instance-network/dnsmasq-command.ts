// The DNS server of instances: dnsmasq in the foreground on the gateway addresses, unprivileged, for
// a supervisor to run. It reads the host's resolv.conf, follows its changes, and reaches what an
// instance could not: a resolver on loopback (systemd-resolved) or on the link.
import {
  gatewayIpv4,
  gatewayIpv6,
  PLATFORM_UID,
  platformUid,
  type Installation,
} from '../../domain/installation.ts';

const CACHE_ENTRIES = 2_000;
/** Questions under way for all instances together; each holds a port. */
const QUESTIONS_MAX = 300;

export interface DnsmasqOptions {
  readonly resolvConfPath?: string;
}

export function dnsmasqCommand(
  installation: Pick<Installation, 'slot' | 'ipv6Prefix'>,
  options: DnsmasqOptions = {},
): [string, ...string[]] {
  const uid = String(platformUid(installation.slot, PLATFORM_UID.dns));
  return [
    // dnsmasq drops root only for a user that /etc/passwd names; ours are numbers.
    ...(['setpriv', '--reuid', uid, '--regid', uid, '--clear-groups', '--no-new-privs'] as const),
    ...['--inh-caps=-all,+net_bind_service', '--ambient-caps=-all,+net_bind_service'],
    '--bounding-set=-all,+net_bind_service',
    ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file', '--user='],
    ...['--log-facility=-', '--no-hosts', '--bind-interfaces'],
    `--listen-address=${gatewayIpv4(installation.slot)}`,
    `--listen-address=${gatewayIpv6(installation.ipv6Prefix)}`,
    `--resolv-file=${options.resolvConfPath ?? '/etc/resolv.conf'}`,
    ...[`--cache-size=${CACHE_ENTRIES}`, `--dns-forward-max=${QUESTIONS_MAX}`],
    // Names without a dot and addresses of private ranges are nobody else's business.
    ...['--domain-needed', '--bogus-priv'],
  ];
}
