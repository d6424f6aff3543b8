// Passwords that services are opened with.
import { randomBytes } from 'node:crypto';

/** 192 bits that need no escape in a URL, a shell or a connection string. */
export function generatePassword(): string {
  return randomBytes(24).toString('base64url');
}
