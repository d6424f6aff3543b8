// Messages from the nexus to balancers about TLS, with their schemas. State, not events: every change
// is one certificate as it is now, and whoever missed one takes them all. `run` names the process of
// the nexus that counts, so a successor that begins anew is not taken for an older one. Private keys
// travel in them; the sockets they take are encrypted. What challenges need travels with the routes.
import * as v from 'valibot';
import { Pem } from './route-messages.ts';

export const CERTIFICATES_TOPIC = 'certificates';

export const CertificateMessage = v.object({
  /** What it is kept for, one certificate each. */
  host: v.string(),
  /** What it is shown for; `*.example` for one label. */
  names: v.array(v.string()),
  chainPem: Pem,
  privateKeyPem: Pem,
  /** Also for clients that name no server, or one that nobody has. */
  isFallback: v.boolean(),
});
export type CertificateMessage = v.InferOutput<typeof CertificateMessage>;

const TICKET_KEY_BYTES = 48;

/** As tls.Server.setTicketKeys takes it; msgpack carries it as bytes. */
export const TicketKey = v.pipe(
  v.instance(Uint8Array),
  v.check((key) => key.length === TICKET_KEY_BYTES, `a ticket key has ${TICKET_KEY_BYTES} bytes`),
);

/** Grows by one with each change of this run. */
const Version = { run: v.string(), epoch: v.number() };

const CertificatesUpdate = v.object({
  type: v.literal('certificates.update'),
  ...Version,
  /** One of the three. */
  certificate: v.exactOptional(CertificateMessage),
  removedHost: v.exactOptional(v.string()),
  ticketKey: v.exactOptional(TicketKey),
});
export type CertificatesUpdate = v.InferOutput<typeof CertificatesUpdate>;

const CertificatesSnapshot = v.object({
  type: v.literal('certificates.snapshot'),
  ...Version,
  certificates: v.array(CertificateMessage),
  /** Same for every balancer, so that a session begun at one goes on at another. */
  ticketKey: TicketKey,
});
export type CertificatesSnapshot = v.InferOutput<typeof CertificatesSnapshot>;

export const CERTIFICATE_MESSAGES = {
  'certificates.get': v.object({ type: v.literal('certificates.get') }),
  'certificates.snapshot': CertificatesSnapshot,
  'certificates.update': CertificatesUpdate,
} as const;
