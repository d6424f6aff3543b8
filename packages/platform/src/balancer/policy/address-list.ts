// Addresses and ranges, for the question whether a client is among them.
import { BlockList, isIP } from 'node:net';
import { parseAddressRange, plainAddress } from '../../domain/address-range.ts';

export class AddressList {
  readonly #list = new BlockList();

  /** `ranges` as the schema lets them pass. */
  constructor(ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseAddressRange(text);
      if (!range) throw new Error(`not an address range: ${text}`);
      this.#list.addSubnet(range.address, range.prefixBits, range.family);
    }
  }

  has(ip: string): boolean {
    const address = plainAddress(ip);
    const version = isIP(address);
    return version !== 0 && this.#list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }
}
