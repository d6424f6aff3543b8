// Who may come at all, by address. What stands behind the address says nothing of the site: others
// learn that they may not, and no more.
import type { Exchange } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';
import { AddressList } from './address-list.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';

const FORBIDDEN: Refusal = {
  status: 403,
  title: 'Forbidden',
  detail: 'This address is not open to you.',
};

export class AccessList implements AdmissionPolicy {
  readonly #allow: AddressList | undefined;
  readonly #deny: AddressList | undefined;

  /** An empty list of those allowed allows nobody. */
  constructor(allow: readonly string[] | undefined, deny: readonly string[] | undefined) {
    this.#allow = allow && new AddressList(allow);
    this.#deny = deny && new AddressList(deny);
  }

  judge({ origin: { clientIp } }: Exchange): Verdict {
    if (this.#deny?.has(clientIp)) return FORBIDDEN;
    return this.#allow === undefined || this.#allow.has(clientIp) ? undefined : FORBIDDEN;
  }
}
