// TLS from the side of clients: certificates a test makes, handshakes and what came of them.
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';
import type { ServedCertificate } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';

const DAY_MS = 24 * 3_600_000;

/** A fresh one, P-256. */
export async function makeCertificate(
  hosts: readonly [string, ...string[]],
  { ageMs = 0, ...more }: { readonly isFallback?: boolean; readonly ageMs?: number } = {},
): Promise<ServedCertificate> {
  const nowMs = Date.now() - ageMs;
  const { chainPem, privateKeyPem } = await selfSign({
    names: hosts,
    notBeforeMs: nowMs - DAY_MS,
    notAfterMs: nowMs + DAY_MS,
  });
  return { hosts, certificatePem: chainPem, keyPem: privateKeyPem, ...more };
}

/** Rejects with what the other end or OpenSSL said. */
export async function shakeHands(
  port: number,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false },
    ...options,
  });
  try {
    await once(socket, 'secureConnect');
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.on('error', () => undefined);
  return socket;
}

/** The names of the certificate that a client is shown. */
export async function shownTo(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = await shakeHands(port, options);
  const { subjectaltname = '' } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname.replaceAll('DNS:', '');
}

/** SHA-256 of the certificate that a client is shown. */
export async function fingerprintShown(port: number, servername: string): Promise<string> {
  const socket = await shakeHands(port, { servername });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

export interface SecureAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request of HTTP/1.1 on a connection of its own. */
export function askSecurely(
  port: number,
  { host = 'a.test', path = '/', method = 'GET', body = '' } = {},
): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...{ port, path, method, host: '127.0.0.1', servername: host, agent: false },
        ...{ headers: { host }, rejectUnauthorized: false },
      },
      (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on('error', reject);
      },
    );
    asking.on('error', reject).end(body);
  });
}

/** A session that another connection may take up. TLS 1.3 hands it out behind the handshake. */
export async function beginSession(port: number, options: ConnectionOptions): Promise<Buffer> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false },
    ...options,
  });
  socket.on('error', () => undefined);
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
}
