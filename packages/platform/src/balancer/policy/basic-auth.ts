// Asks for a name and a password (RFC 7617). A password is verified once; after that it is known by a
// keyed digest, so that a page with a hundred files does not cost a hundred verifications.
import { createHmac, randomBytes } from 'node:crypto';
import { LIMITS } from '../../domain/limits.ts';
import { type BasicAuthPolicy, isExemptPath } from '../../domain/route-policy.ts';
import type { Exchange } from '../exchange.ts';
import type { Refusal } from '../refusal.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';
import { verifyPassword } from './password.ts';
import type { VerificationQueue } from './verification-queue.ts';

const REALM = 'Restricted';
/** Nobody's name and password are longer; what is longer costs no verification. */
const HEADER_LENGTH_MAX = 1_024;
const BUSY: Refusal = {
  status: 503,
  title: 'Busy',
  detail: 'Too many passwords are being verified. Please try again shortly.',
  retryAfterS: 2,
};

interface Credentials {
  readonly user: string;
  readonly password: string;
}

export class BasicAuth implements AdmissionPolicy {
  readonly #users: ReadonlyMap<string, string>;
  readonly #exemptPaths: readonly string[];
  readonly #challenge: Refusal;
  readonly #queue: VerificationQueue;
  /** Of this object: what lies in memory says nothing of passwords without it. */
  readonly #digestKey = randomBytes(32);
  /** Digest of credentials -> whether they are right. Right ones are not forgotten for wrong ones. */
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  /** Asked for again while the answer is awaited. */
  readonly #underWay = new Map<string, Promise<Verdict>>();

  constructor(policy: BasicAuthPolicy, queue: VerificationQueue) {
    const { realm = REALM, users, exemptPaths = [] } = policy;
    this.#users = new Map(Object.entries(users).map(([name, hash]) => [normal(name), hash]));
    this.#exemptPaths = exemptPaths;
    this.#queue = queue;
    this.#challenge = {
      status: 401,
      title: 'Sign in',
      detail: 'This site asks for a user name and a password.',
      headers: ['WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`],
    };
  }

  isExempt({ path }: Exchange): boolean {
    return isExemptPath(path, this.#exemptPaths);
  }

  judge(exchange: Exchange): Verdict | Promise<Verdict> {
    if (this.isExempt(exchange)) return undefined;
    const credentials = credentialsOf(exchange.header('authorization'));
    if (!credentials) return this.#challenge;
    const digest = this.#digestOf(credentials);
    if (this.#right.has(digest)) return undefined;
    if (this.#wrong.has(digest)) return this.#challenge;
    return this.#underWay.get(digest) ?? this.#verify(credentials, digest);
  }

  #verify({ user, password }: Credentials, digest: string): Verdict | Promise<Verdict> {
    const hash = this.#users.get(normal(user));
    // A name that nobody has takes as long as one that somebody has.
    const [someHash = ''] = this.#users.values();
    const verified = this.#queue.run(() => verifyPassword(password, hash ?? someHash));
    if (!verified) return BUSY;
    const verdict = verified.then(
      (isRight) => this.#settle(digest, isRight && hash !== undefined),
      () => BUSY,
    );
    this.#underWay.set(digest, verdict);
    return verdict;
  }

  #settle(digest: string, isRight: boolean): Verdict {
    this.#underWay.delete(digest);
    remember(isRight ? this.#right : this.#wrong, digest);
    return isRight ? undefined : this.#challenge;
  }

  #digestOf({ user, password }: Credentials): string {
    return createHmac('sha256', this.#digestKey).update(`${user}\0${password}`).digest('base64');
  }
}

/** The oldest goes first. */
function remember(known: Set<string>, digest: string): void {
  known.add(digest);
  if (known.size <= LIMITS.policy.verifiedCredentialsMax) return;
  for (const oldest of known) {
    known.delete(oldest);
    return;
  }
}

const FORM = /^basic +([A-Za-z0-9+/]+={0,2})$/i;
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Undefined when it names none. Two fields, joined by a comma, are none. */
export function credentialsOf(header: string | undefined): Credentials | undefined {
  if (header === undefined || header.length > HEADER_LENGTH_MAX) return undefined;
  const encoded = FORM.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = decoded(Buffer.from(encoded, 'base64'));
  // The first colon: a name has none, a password may.
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0 || /[\x00-\x1f\x7f]/.test(text)) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Browsers of old send Latin-1, whatever the challenge says. */
function decoded(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}

const normal = (name: string): string => name.normalize('NFC');
