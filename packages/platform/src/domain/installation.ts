// Everything the kernel shares is named after the installation, so several live side by side.

export interface Installation {
  readonly schemaVersion: 1;
  /** Directory name, chosen by the operator: `default`, `test-3f2a` ... */
  readonly name: string;
  /** Six hex digits, random; names nft table and cgroups. */
  readonly id: string;
  /** 0-255, claimed on this machine. */
  readonly slot: number;
  /** First 64 bits of the node's ULA prefix, as four groups: `fd12:3456:789a:1`. */
  readonly ipv6Prefix: string;
  readonly nodeName: string;
  /** Apps answer at NAME.<suffix>. */
  readonly suffix: string;
  /** Port of the balancer. */
  readonly httpPort: number;
  /** Its port for TLS; absent: it speaks none. */
  readonly httpsPort?: number;
  /** Absent: crun. Nothing but the operator's word chooses `process`. */
  readonly sandbox?: 'crun' | 'process';
  readonly certificates?: CertificateSettings;
}

/** What the operator says about certificates. Without an authority all are our own. */
export interface CertificateSettings {
  /** Of the ACME authority. */
  readonly directoryUrl?: string;
  /** PEM file; trusted for that authority alone. */
  readonly extraCaFile?: string;
  readonly contactEmail?: string;
  /** Command that writes DNS records. */
  readonly dnsHook?: readonly string[];
  /** Where the world reaches this machine, when its interfaces do not show it. */
  readonly publicAddresses?: readonly string[];
  /** Where domains are looked up; default: the name servers of the machine. */
  readonly dnsServers?: readonly string[];
}

const DEFAULT_PORTS = { http: 80, https: 443 };

/** `https://blog.example:8443` */
export function originOf(
  { httpPort, httpsPort }: Pick<Installation, 'httpPort' | 'httpsPort'>,
  scheme: 'http' | 'https',
  host: string,
): string {
  const port = scheme === 'http' ? httpPort : (httpsPort ?? DEFAULT_PORTS.https);
  return `${scheme}://${host}${port === DEFAULT_PORTS[scheme] ? '' : `:${port}`}`;
}

const UID_BASE = 1_900_000_000;
const UIDS_PER_SLOT = 500_000;
/** Two uids for each app from here on, then one for the services of each. */
const FIRST_APP_UID = 1_000;
const FIRST_SERVICE_UID = 300_000;
const APP_IDS = (FIRST_SERVICE_UID - FIRST_APP_UID) / 2;
const IPV4_PER_SLOT = 16_384;
/** 100.64.0.0, the shared address space of RFC 6598. */
const IPV4_BASE = 0x64_40_00_00;

/** Uid for platform purposes, below those of apps. */
export const PLATFORM_UID = {
  balancer: 1,
  staticServer: 2,
  sharedBuild: 3,
  dns: 4,
  postgresql: 5,
} as const;

export function platformUid(slot: number, offset: number): number {
  return UID_BASE + slot * UIDS_PER_SLOT + offset;
}

/** Uid that runs instances and jobs of an app. */
export function appUid(slot: number, appId: number): number {
  return platformUid(slot, FIRST_APP_UID + 2 * checkedAppId(appId));
}

/** Uid that runs builds of an app. */
export function buildUid(slot: number, appId: number): number {
  return appUid(slot, appId) + 1;
}

/** Uid that runs what serves an app alone: its Redis. */
export function serviceUid(slot: number, appId: number): number {
  return platformUid(slot, FIRST_SERVICE_UID + checkedAppId(appId));
}

/** Beyond it, uids would be somebody else's. */
function checkedAppId(appId: number): number {
  if (Number.isInteger(appId) && appId >= 0 && appId < APP_IDS) return appId;
  throw new RangeError(`no uid for app id ${appId}`);
}

/** Interface names: this, then at most ten characters. */
export function interfacePrefix(slot: number): string {
  return `td${slot.toString(16).padStart(2, '0')}-`;
}

export function nftTable(installation: Pick<Installation, 'id'>): string {
  return `tandem_${installation.id}`;
}

/** Of the supervisor and all below it; not in the root of the apps, whose groups are ended by it. */
export function daemonCgroup(installation: Pick<Installation, 'id'>): string {
  return `/tandem-${installation.id}-daemons`;
}

export function cgroupRoot(installation: Pick<Installation, 'id'>): string {
  return `/tandem-${installation.id}`;
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** `100.64.0.0/18` for slot 0. */
export function ipv4Range(slot: number): string {
  return `${formatIpv4(IPV4_BASE + slot * IPV4_PER_SLOT)}/18`;
}

/** Gateway and DNS server of every instance. */
export function gatewayIpv4(slot: number): string {
  return formatIpv4(IPV4_BASE + slot * IPV4_PER_SLOT + 1);
}

export function gatewayIpv6(ipv6Prefix: string): string {
  return `${ipv6Prefix}::1`;
}

export function ipv6Range(ipv6Prefix: string): string {
  return `${ipv6Prefix}::/64`;
}

/** Address number `counter` (from 2); IPv6 never repeats, IPv4 wraps within the /18. */
export function instanceAddresses(
  installation: Pick<Installation, 'slot' | 'ipv6Prefix'>,
  counter: number,
): { ipv6: string; ipv4: string } {
  const groups = [
    Math.floor(counter / 0x1_0000_0000) & 0xffff,
    Math.floor(counter / 0x1_0000) & 0xffff,
    counter & 0xffff,
  ].map((group) => group.toString(16));
  const ipv4Offset = 2 + ((counter - 2) % (IPV4_PER_SLOT - 3));
  return {
    ipv6: `${installation.ipv6Prefix}:0:${groups.join(':')}`,
    ipv4: formatIpv4(IPV4_BASE + installation.slot * IPV4_PER_SLOT + ipv4Offset),
  };
}
