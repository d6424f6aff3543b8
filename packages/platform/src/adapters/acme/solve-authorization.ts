// Shows the authority that the names of an order are ours: for each, one challenge is put up, the
// authority is told, and the challenge is taken down again whatever it says.
import { generateKeyPairSync } from 'node:crypto';
import { TandemError, toTandemError } from '@tandem/protocol';
import type { Authorization, Client, Order } from 'acme-client';
import type {
  Challenge,
  ChallengeKind,
  ChallengeSolver,
} from '../../ports/certificate-authority.ts';
import { loadAcme } from './channel.ts';
import { poll } from './poll.ts';
import { validationError } from './problem.ts';

export interface Solving {
  readonly client: Client;
  readonly order: Order;
  readonly solver: ChallengeSolver;
  readonly signal: AbortSignal;
}

type Offer = Authorization['challenges'][number];

/** Throws the first failure, after all have come to an end. */
export async function solveAuthorizations(solving: Solving): Promise<void> {
  const authorizations = await solving.client.getAuthorizations(solving.order);
  const outcomes = await Promise.allSettled(authorizations.map((one) => solve(solving, one)));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function solve(solving: Solving, authorization: Authorization): Promise<void> {
  // The authority may remember that the name was ours not long ago.
  if (authorization.status === 'valid') return;
  const { client, solver, signal } = solving;
  const offer = chooseOffer(authorization, solver.kinds);
  const challenge = await challengeOf(client, authorization, offer);
  try {
    await present(solver, challenge, signal);
    await client.completeChallenge(offer);
    await waitValid(client, authorization, signal);
  } catch (error) {
    // One left pending counts against us at the authority until it expires.
    await client.deactivateAuthorization(authorization).catch(() => undefined);
    throw error;
  } finally {
    await solver.cleanup(challenge);
  }
}

function chooseOffer(authorization: Authorization, kinds: readonly ChallengeKind[]): Offer {
  const offers = authorization.challenges;
  const found = kinds
    .map((kind) => offers.find(({ type }) => type === kind))
    .find((offer) => offer !== undefined);
  if (found) return found;
  const offered = offers.map(({ type }) => type).join(', ') || 'nothing';
  throw new TandemError(
    'CERTIFICATE_REFUSED',
    `for ${hostOf(authorization)} the authority wants ${offered}; we can do ${kinds.join(', ')}`,
    { hint: 'A wildcard needs dns-01: a command that writes DNS records.' },
  );
}

async function challengeOf(
  client: Client,
  authorization: Authorization,
  offer: Offer,
): Promise<Challenge> {
  const host = authorization.identifier.value;
  const answer = await client.getChallengeKeyAuthorization(offer);
  switch (offer.type as ChallengeKind) {
    case 'http-01':
      return { kind: 'http-01', host, token: offer.token, content: answer };
    case 'dns-01':
      return { kind: 'dns-01', host, name: `_acme-challenge.${host}`, value: answer };
    case 'tls-alpn-01': {
      const { crypto } = await loadAcme();
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' });
      const [, chain] = await crypto.createAlpnCertificate(authorization, answer, keyPem);
      const certificate = { chainPem: chain.toString(), privateKeyPem: keyPem.toString() };
      return { kind: 'tls-alpn-01', host, certificate };
    }
  }
}

async function present(
  solver: ChallengeSolver,
  challenge: Challenge,
  signal: AbortSignal,
): Promise<void> {
  try {
    await solver.present(challenge, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = toTandemError(error);
    throw new TandemError(
      'CHALLENGE_NOT_PRESENTED',
      `the answer for ${challenge.host} (${challenge.kind}) was not put up: ${message}`,
      { where: challenge.host, hint, cause: error },
    );
  }
}

async function waitValid(
  client: Client,
  authorization: Authorization,
  signal: AbortSignal,
): Promise<void> {
  const read = async (): Promise<Authorization> => {
    const [now] = await client.getAuthorizations({
      authorizations: [authorization.url],
    } as unknown as Order);
    return now ?? authorization;
  };
  const now = await poll(read, ({ status }) => status !== 'pending', signal);
  if (now.status === 'valid') return;
  const failed = now.challenges.find(({ error }) => error !== undefined);
  throw validationError(hostOf(now), failed?.error);
}

function hostOf({ identifier, wildcard }: Authorization): string {
  return wildcard ? `*.${identifier.value}` : identifier.value;
}
