// A page in place of the site while its owner works on it. The owner may look behind it.
import type { MaintenancePolicy } from '../../domain/route-policy.ts';
import type { Exchange } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';
import { AddressList } from './address-list.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';

const RETRY_AFTER_S = 120;
const TEXT = 'This site is under maintenance. Please come back later.';

export class Maintenance implements AdmissionPolicy {
  readonly #page: Refusal;
  readonly #exempt: AddressList;

  constructor({ text = TEXT, html, retryAfterS = RETRY_AFTER_S, exempt = [] }: MaintenancePolicy) {
    this.#exempt = new AddressList(exempt);
    this.#page = {
      ...{ status: 503, title: 'Under maintenance', detail: text, retryAfterS },
      ...(html !== undefined && { html }),
    };
  }

  judge({ origin: { clientIp } }: Exchange): Verdict {
    return this.#exempt.has(clientIp) ? undefined : this.#page;
  }
}
