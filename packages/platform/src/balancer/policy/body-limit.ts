// How long a request body may be: refused at once when it says that it is longer, else as soon as it is.
import type { Exchange } from '../exchange.ts';
import { bodyTooLarge } from '../refusal.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';

export class BodyLimit implements AdmissionPolicy {
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  judge(exchange: Exchange): Verdict {
    return exchange.limitBody(this.bytesMax) ? undefined : bodyTooLarge;
  }
}
