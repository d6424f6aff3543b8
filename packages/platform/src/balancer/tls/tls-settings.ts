// What we speak with clients: TLS 1.3, and 1.2 with forward secrecy and authenticated encryption.
import { constants } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { BalancerLimits } from '../../domain/limits.ts';

const CIPHERS = [
  // TLS 1.3. AES-128 first: it is as safe for as long as anybody can tell, and faster.
  ...['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_256_GCM_SHA384'],
  // TLS 1.2.
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
].join(':');

/** The same in all workers: a ticket is good only where this is the same. */
const SESSION_CONTEXT = 'tandem';

export const tlsSettings = ({ sessionLifeMs }: BalancerLimits): TlsOptions => ({
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: CIPHERS,
  honorCipherOrder: true,
  sessionIdContext: SESSION_CONTEXT,
  sessionTimeout: sessionLifeMs / 1_000,
  // Who prefers ChaCha20 has no AES in hardware.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
  // Nobody is asked for a certificate: no authorities are needed.
  ca: [],
});
