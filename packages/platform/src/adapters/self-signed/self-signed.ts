// Certificates signed with their own key, ECDSA P-256, made in a process that ends.
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CertificatePair } from '../../domain/certificate/certificate-pair.ts';
import { runCommand } from '../../lib/run-command.ts';
import type { SelfSign } from '../../ports/certificate-authority.ts';

const HERE = fileURLToPath(import.meta.url);
/** Compiled when we are. */
const PROGRAM = fileURLToPath(new URL(`sign-certificate${extname(HERE)}`, import.meta.url));
const TIMEOUT_MS = 30_000;

export const selfSign: SelfSign = async (request) => {
  const { stdout } = await runCommand([process.execPath, PROGRAM], {
    input: JSON.stringify(request),
    timeoutMs: TIMEOUT_MS,
  });
  return JSON.parse(stdout) as CertificatePair;
};
