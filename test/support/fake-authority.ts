// A certificate authority in memory: issues at once, for as long as the test says, or does what the
// test says instead.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type {
  CertificateAuthority,
  CertificateOrder,
} from '../../packages/platform/src/ports/certificate-authority.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export class FakeAuthority implements CertificateAuthority {
  readonly id = 'https://authority.example/dir';
  readonly orders: CertificateOrder[] = [];
  validityMs = 90 * 24 * 3_600_000;
  backdatedMs = 3_600_000;
  /** Throws: the order fails. */
  before: (order: CertificateOrder) => Promise<void> = async () => undefined;

  async order(order: CertificateOrder): Promise<string> {
    this.orders.push(order);
    await this.before(order);
    order.signal.throwIfAborted();
    return await this.issue(order);
  }

  async issue({ privateKeyPem, names }: Pick<CertificateOrder, 'privateKeyPem' | 'names'>) {
    const nowMs = Date.now();
    const key = createPrivateKey(privateKeyPem);
    const der = {
      private: key.export({ type: 'pkcs8', format: 'der' }),
      public: spki(privateKeyPem),
    };
    const { subtle } = crypto;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=Fake authority',
      notBefore: new Date(nowMs - this.backdatedMs),
      notAfter: new Date(nowMs + this.validityMs),
      signingAlgorithm: ALGORITHM,
      keys: {
        privateKey: await subtle.importKey('pkcs8', der.private, ALGORITHM, true, ['sign']),
        publicKey: await subtle.importKey('spki', der.public, ALGORITHM, true, ['verify']),
      },
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: 'dns' as const, value })),
        ),
      ],
    });
    return certificate.toString('pem');
  }
}

const spki = (privateKeyPem: string): Buffer =>
  createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
