// Certificates by ACME (RFC 8555): account, order, challenges, certificate. One order is one call;
// what it leaves unfinished the authority lets expire, and the next call begins anew.
import { createHash } from 'node:crypto';
import { Agent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { TandemError } from '@tandem/protocol';
import type { Client, Order } from 'acme-client';
import { LIMITS } from '../../domain/limits.ts';
import type { CertificateAuthority, CertificateOrder } from '../../ports/certificate-authority.ts';
import { loadAcme, speakingOver, type Channel } from './channel.ts';
import { isNoAccount, unreachable } from './problem.ts';
import { poll } from './poll.ts';
import { solveAuthorizations } from './solve-authorization.ts';

export interface AcmeOptions {
  readonly directoryUrl: string;
  /** PEM; trusted besides the authorities of the system, for this authority alone. */
  readonly extraCaPem?: string;
  /** Where the authority writes to when something is wrong with a certificate. */
  readonly contactEmail?: string;
}

export function createAcmeAuthority(options: AcmeOptions): CertificateAuthority {
  return new AcmeAuthority(options);
}

class AcmeAuthority implements CertificateAuthority {
  readonly id: string;
  readonly #options: AcmeOptions;
  readonly #agent: Agent;
  /** By account key; each knows the directory and its account. */
  readonly #clients = new Map<string, Promise<Client>>();

  constructor(options: AcmeOptions) {
    this.id = options.directoryUrl;
    this.#options = options;
    const { extraCaPem } = options;
    this.#agent = new Agent(
      extraCaPem === undefined ? {} : { ca: [...getCACertificates('default'), extraCaPem] },
    );
  }

  async order(order: CertificateOrder): Promise<string> {
    const timeout = AbortSignal.timeout(LIMITS.certificates.orderTimeoutMs);
    const channel = { agent: this.#agent, signal: AbortSignal.any([order.signal, timeout]) };
    try {
      return await speakingOver(channel, () => this.#fulfil(order, channel));
    } catch (error) {
      order.signal.throwIfAborted();
      if (timeout.aborted) throw unreachable(this.id, new Error('the order was never finished'));
      // The next order looks for directory and account anew: either may be what is wrong.
      this.#clients.delete(keyId(order.accountKeyPem));
      // What the library throws itself: an answer that makes no sense to it.
      throw error instanceof TandemError ? error : unreachable(this.id, error);
    }
  }

  async #fulfil(
    { accountKeyPem, privateKeyPem, names, solver }: CertificateOrder,
    channel: Channel,
  ): Promise<string> {
    const { crypto } = await loadAcme();
    const client = await this.#client(accountKeyPem);
    const identifiers = names.map((value) => ({ type: 'dns', value }));
    const created = await client.createOrder({ identifiers });
    await solveAuthorizations({ client, order: created, solver, signal: channel.signal });
    await settled(client, created, ['ready', 'valid'], channel);
    const [, csr] = await crypto.createCsr({ altNames: [...names] }, privateKeyPem);
    const finalized = await client.finalizeOrder(created, csr);
    const valid = await settled(client, finalized, ['valid'], channel);
    return await client.getCertificate(valid);
  }

  /** One account for each key, however many orders begin at once. */
  async #client(accountKeyPem: string): Promise<Client> {
    const id = keyId(accountKeyPem);
    const known = this.#clients.get(id);
    if (known) return await known;
    const opening = this.#open(accountKeyPem);
    this.#clients.set(id, opening);
    try {
      return await opening;
    } catch (error) {
      this.#clients.delete(id);
      throw error;
    }
  }

  async #open(accountKey: string): Promise<Client> {
    const { directoryUrl, contactEmail } = this.#options;
    const { Client } = await loadAcme();
    const client = new Client({ directoryUrl, accountKey });
    const contact = contactEmail === undefined ? {} : { contact: [`mailto:${contactEmail}`] };
    // For a key that has an account the library would send an update that says nothing, which strict
    // authorities refuse; so it is looked for first, and again when somebody else was quicker.
    if (await findsAccount(client)) {
      if (contactEmail !== undefined) await client.updateAccount(contact);
      return client;
    }
    try {
      await client.createAccount({ termsOfServiceAgreed: true, ...contact });
    } catch (error) {
      if (!(await findsAccount(client))) throw error;
    }
    return client;
  }
}

async function findsAccount(client: Client): Promise<boolean> {
  try {
    await client.createAccount({ onlyReturnExisting: true });
    return true;
  } catch (error) {
    if (isNoAccount(error)) return false;
    throw error;
  }
}

async function settled(
  client: Client,
  order: Order,
  wanted: readonly Order['status'][],
  { signal }: Channel,
): Promise<Order> {
  const isOver = ({ status }: Order): boolean => wanted.includes(status) || status === 'invalid';
  const now = await poll(() => client.getOrder(order), isOver, signal);
  if (now.status !== 'invalid') return now;
  const names = now.identifiers.map(({ value }) => value).join(', ');
  const { detail } = (now.error ?? {}) as { detail?: string };
  throw new TandemError(
    'CERTIFICATE_REFUSED',
    `the order for ${names} was refused: ${detail ?? 'no reason given'}`,
    { where: order.url },
  );
}

const keyId = (pem: string): string => createHash('sha256').update(pem).digest('hex');
