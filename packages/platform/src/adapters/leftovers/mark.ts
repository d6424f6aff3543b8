// By what a thing in the kernel is known to belong to an installation.
import {
  cgroupRoot,
  daemonCgroup,
  interfacePrefix,
  ipv4Range,
  ipv6Range,
  nftTable,
  platformUid,
  type Installation,
} from '../../domain/installation.ts';
import type { Paths } from '../../ports/paths.ts';

/** In the environment of every daemon, and so of what they start. */
export const MARK_VARIABLE = 'TANDEM_INSTALLATION_ID';

export interface Mark {
  readonly id: string;
  readonly uids: { readonly first: number; readonly last: number };
  /** Of its apps. */
  readonly cgroup: string;
  readonly daemonCgroup: string;
  readonly interfacePrefix: string;
  readonly nftTable: string;
  /** Of the addresses of its instances. */
  readonly ranges: readonly string[];
  readonly runDirectory: string;
  readonly dataDirectory: string;
}

export function markOf(installation: Installation, paths: Paths): Mark {
  return {
    id: installation.id,
    uids: {
      first: platformUid(installation.slot, 0),
      last: platformUid(installation.slot + 1, 0) - 1,
    },
    cgroup: cgroupRoot(installation),
    daemonCgroup: daemonCgroup(installation),
    interfacePrefix: interfacePrefix(installation.slot),
    nftTable: nftTable(installation),
    ranges: [ipv4Range(installation.slot), ipv6Range(installation.ipv6Prefix)],
    runDirectory: paths.run,
    dataDirectory: paths.data,
  };
}
