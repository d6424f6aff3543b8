// Certificates signed with their own key, ECDSA P-256.
import { createPrivateKey } from 'node:crypto';
import type { SelfSign } from '../../ports/certificate-authority.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** People see it in a browser's warning; what the certificate is for stands in its other names. */
const SUBJECT = 'CN=Tandem self-signed';

export const selfSign: SelfSign = async ({ names, notBeforeMs, notAfterMs }) => {
  // Loaded when first needed: it costs some megabytes of memory.
  const x509 = await import('@peculiar/x509');
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
};
