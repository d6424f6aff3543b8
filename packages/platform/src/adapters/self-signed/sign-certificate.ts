// A program of its own: reads a SelfSigning from standard input, writes the CertificatePair. What it
// loads would stay in a daemon for ever, some 15 MB for a signature every other month.
import { createPrivateKey } from 'node:crypto';
import { json } from 'node:stream/consumers';
import * as x509 from '@peculiar/x509';
import type { CertificatePair } from '../../domain/certificate/certificate-pair.ts';
import type { SelfSigning } from '../../ports/certificate-authority.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** People see it in a browser's warning; what the certificate is for stands in its other names. */
const SUBJECT = 'CN=Tandem self-signed';

const pair = await sign((await json(process.stdin)) as SelfSigning);
process.stdout.write(JSON.stringify(pair));

async function sign({ names, notBeforeMs, notAfterMs }: SelfSigning): Promise<CertificatePair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: SUBJECT,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    chainPem: `${certificate.toString('pem')}\n`,
    privateKeyPem: String(key.export({ type: 'pkcs8', format: 'pem' })),
  };
}
