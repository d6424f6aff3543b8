// Passwords of roles. The server is only ever told the verifier (RFC 5803, as libpq's \password
// does), so that no statement, log line or memory of it holds a password in the clear.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** What opens an app's database. */
export type PostgresqlCredentials = {
  readonly role: string;
  readonly database: string;
  readonly password: string;
};

/** PostgreSQL's own default; clients repeat the work at every connection. */
const ITERATIONS = 4096;

/** `password` must be ASCII, as generated ones are: SASLprep is the identity on it. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
