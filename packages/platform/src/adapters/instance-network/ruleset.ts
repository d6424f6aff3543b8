// The firewall of an installation as one nftables table. All rules go by interface prefix and
// address range, so that an instance starts without touching them; links to services are elements
// of a set. Loading it again replaces the rules in one transaction and keeps the set. Pure.
import {
  gatewayIpv4,
  gatewayIpv6,
  interfacePrefix,
  ipv4Range,
  ipv6Range,
  nftTable,
  PLATFORM_UID,
  platformUid,
  type Installation,
} from '../../domain/installation.ts';

export const LINK_SET = 'links';

/** Not the internet: RFC 6890, link-local (cloud metadata among it), CGNAT, multicast. */
const PRIVATE_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/3'],
];

/** The same, unique local addresses, and the prefixes through which IPv4 is reached by translation. */
const PRIVATE_IPV6 = [
  ...['::/96', '::ffff:0:0/96', '64:ff9b:1::/48', '100::/64', '2001::/32', '2002::/16'],
  ...['fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  ...PRIVATE_IPV4.map(throughNat64),
];

export function ruleset(installation: Installation, allowedRanges: readonly string[] = []): string {
  const table = `inet ${nftTable(installation)}`;
  const chains = Object.entries(chainsOf(installation));
  const sets = Object.entries(rangeSets(allowedRanges));
  return [
    `add table ${table}`,
    `add set ${table} ${LINK_SET} { type ipv6_addr . ipv6_addr . inet_service; }`,
    ...sets.flatMap(([name, { type, ranges }]) => [
      `add set ${table} ${name} { type ${type}; flags interval; auto-merge; }`,
      `flush set ${table} ${name}`,
      ...(ranges.length > 0 ? [`add element ${table} ${name} { ${ranges.join(', ')} }`] : []),
    ]),
    // All chains before any rule: rules jump to chains.
    ...chains.map(([name, { hook }]) => `add chain ${table} ${name}${hook ? ` { ${hook} }` : ''}`),
    ...chains.flatMap(([name, { rules }]) => [
      `flush chain ${table} ${name}`,
      ...rules.map((rule) => `add rule ${table} ${name} ${rule}`),
    ]),
    '',
  ].join('\n');
}

export function removal(installation: Installation): string {
  const table = `inet ${nftTable(installation)}`;
  // Added first, because deleting what is not there is an error.
  return `add table ${table}\ndelete table ${table}\n`;
}

export function linkElements(
  verb: 'add' | 'delete',
  installation: Installation,
  network: { ipv6: string; links: readonly { ipv6: string; port: number }[] },
): string {
  const elements = network.links.map((link) => `${network.ipv6} . ${link.ipv6} . ${link.port}`);
  return `${verb} element inet ${nftTable(installation)} ${LINK_SET} { ${elements.join(', ')} }\n`;
}

function rangeSets(
  allowed: readonly string[],
): Record<string, { type: string; ranges: readonly string[] }> {
  return {
    private4: { type: 'ipv4_addr', ranges: PRIVATE_IPV4 },
    private6: { type: 'ipv6_addr', ranges: PRIVATE_IPV6 },
    allowed4: { type: 'ipv4_addr', ranges: allowed.filter((range) => !range.includes(':')) },
    allowed6: { type: 'ipv6_addr', ranges: allowed.filter((range) => range.includes(':')) },
  };
}

interface Chain {
  readonly hook?: string;
  readonly rules: readonly string[];
}

const ESTABLISHED = 'ct state established,related accept';
const NEIGHBOURS = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept';
const LINKED = `ip6 saddr . ip6 daddr . tcp dport @${LINK_SET} accept`;

function chainsOf(installation: Installation): Record<string, Chain> {
  const instances = `"${interfacePrefix(installation.slot)}*"`;
  return {
    // Nobody speaks under an address whose route does not lead back to him.
    prerouting: {
      hook: 'type filter hook prerouting priority raw;',
      rules: [`iifname ${instances} fib saddr . iif oif missing drop`],
    },
    input: {
      hook: 'type filter hook input priority filter - 10;',
      rules: [`iifname ${instances} jump to_host`],
    },
    forward: {
      hook: 'type filter hook forward priority filter - 10;',
      rules: [
        `iifname ${instances} oifname ${instances} jump between_instances`,
        `iifname ${instances} jump to_internet`,
        `oifname ${instances} jump from_outside`,
      ],
    },
    output: {
      hook: 'type filter hook output priority filter - 10;',
      rules: [`oifname ${instances} jump from_host`],
    },
    postrouting: {
      hook: 'type nat hook postrouting priority srcnat;',
      rules: [
        `ip saddr ${ipv4Range(installation.slot)} oifname != ${instances} masquerade`,
        `ip6 saddr ${ipv6Range(installation.ipv6Prefix)} oifname != ${instances} masquerade`,
      ],
    },
    to_host: { rules: toHost(installation) },
    between_instances: { rules: [ESTABLISHED, LINKED, 'drop'] },
    to_internet: { rules: TO_INTERNET },
    from_outside: { rules: [ESTABLISHED, 'drop'] },
    from_host: { rules: fromHost(installation) },
  };
}

/** Of the host an instance reaches DNS on the gateway, and linked services. */
function toHost({ slot, ipv6Prefix }: Installation): string[] {
  return [
    ESTABLISHED,
    NEIGHBOURS,
    `ip daddr ${gatewayIpv4(slot)} meta l4proto { tcp, udp } th dport 53 accept`,
    `ip6 daddr ${gatewayIpv6(ipv6Prefix)} meta l4proto { tcp, udp } th dport 53 accept`,
    LINKED,
    'drop',
  ];
}

const TO_INTERNET = [
  // The path beyond may take smaller packets than a veth pair does.
  'tcp flags syn tcp option maxseg size set rt mtu',
  ESTABLISHED,
  LINKED,
  'ip daddr @allowed4 accept',
  'ip6 daddr @allowed6 accept',
  'ip daddr @private4 drop',
  'ip6 daddr @private6 drop',
  'accept',
];

/** Other users of the machine have no business with an instance. */
function fromHost({ slot }: Installation): string[] {
  const uids = [0, platformUid(slot, PLATFORM_UID.balancer)];
  uids.push(platformUid(slot, PLATFORM_UID.staticServer));
  return [ESTABLISHED, NEIGHBOURS, `meta skuid { ${uids.join(', ')} } accept`, 'drop'];
}

/** `10.0.0.0/8` as 64:ff9b::a00:0/104 (RFC 6052). */
function throughNat64(range: string): string {
  const [address = '', length = ''] = range.split('/');
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const groups = [a * 256 + b, c * 256 + d].map((group) => group.toString(16));
  return `64:ff9b::${groups.join(':')}/${96 + Number(length)}`;
}
