// Request ids: random, so that nobody guesses another one's; made many at a time, because asking for
// random bytes costs more than a request may.
import { randomBytes } from 'node:crypto';

const ID_BYTES = 10;
const IDS_AT_A_TIME = 256;
const GIVEN_ID = /^[A-Za-z0-9._-]{8,100}$/;

let supply = '';
let next = 0;

export function newRequestId(): string {
  if (next === supply.length) {
    supply = randomBytes(ID_BYTES * IDS_AT_A_TIME).toString('hex');
    next = 0;
  }
  next += 2 * ID_BYTES;
  return supply.slice(next - 2 * ID_BYTES, next);
}

/** One that a proxy before us gave, if it is fit to go on. */
export const acceptedRequestId = (given: string | undefined): string | undefined =>
  given !== undefined && GIVEN_ID.test(given) ? given : undefined;
