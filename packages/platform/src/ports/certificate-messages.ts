// Messages from the nexus to balancers about TLS, with their schemas. They count in the epochs of the
// routes: a balancer that acknowledges an epoch in its hello also shows the certificates, answers the
// challenges and knows the ticket keys that it brought. Private keys travel in them; the sockets they
// take are encrypted, and balancers keep them in memory alone.
import * as v from 'valibot';

const Pem = v.pipe(v.string(), v.startsWith('-----BEGIN '));

export const CertificateMessage = v.object({
  host: v.string(),
  /** What it is shown for; `*.example` for one label. */
  names: v.array(v.string()),
  chainPem: Pem,
  privateKeyPem: Pem,
  fingerprint: v.string(),
  /** Also for clients that name no server, or one that nobody has. */
  isFallback: v.boolean(),
});
export type CertificateMessage = v.InferOutput<typeof CertificateMessage>;

/** Answered before any route of the host, and also where no route has it. */
export const ChallengeMessage = v.variant('kind', [
  v.object({
    kind: v.literal('http-01'),
    host: v.string(),
    token: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,256}$/)),
    content: v.pipe(v.string(), v.maxLength(1024)),
  }),
  v.object({
    kind: v.literal('tls-alpn-01'),
    host: v.string(),
    certificate: v.object({ chainPem: Pem, privateKeyPem: Pem }),
  }),
]);
export type ChallengeMessage = v.InferOutput<typeof ChallengeMessage>;

const TICKET_KEY_BYTES = 48;

/** As tls.Server.setTicketKeys takes it; msgpack carries it as bytes. */
export const TicketKey = v.pipe(
  v.instance(Uint8Array),
  v.check((key) => key.length === TICKET_KEY_BYTES, `a ticket key has ${TICKET_KEY_BYTES} bytes`),
);

export const CERTIFICATE_MESSAGES = {
  'certificates.get': v.object({ type: v.literal('certificates.get') }),
  'certificates.snapshot': v.object({
    type: v.literal('certificates.snapshot'),
    epoch: v.number(),
    certificates: v.array(CertificateMessage),
    challenges: v.array(ChallengeMessage),
    ticketKey: TicketKey,
  }),
  'certificate.set': v.object({
    type: v.literal('certificate.set'),
    epoch: v.number(),
    certificate: CertificateMessage,
  }),
  'certificate.removed': v.object({
    type: v.literal('certificate.removed'),
    epoch: v.number(),
    host: v.string(),
  }),
  'challenge.present': v.object({
    type: v.literal('challenge.present'),
    epoch: v.number(),
    challenge: ChallengeMessage,
  }),
  'challenge.cleanup': v.object({
    type: v.literal('challenge.cleanup'),
    epoch: v.number(),
    challenge: ChallengeMessage,
  }),
  /** Same for every balancer, so that a session begun at one goes on at another. */
  'tickets.key': v.object({
    type: v.literal('tickets.key'),
    epoch: v.number(),
    ticketKey: TicketKey,
  }),
} as const;
