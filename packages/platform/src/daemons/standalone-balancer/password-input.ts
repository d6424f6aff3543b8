// `tandem balancer --hash-password`: a password from stdin, its hash on stdout, nothing kept.
import type { ReadStream } from 'node:tty';
import { TandemError } from '@tandem/protocol';
import { hashPassword } from '../../balancer/index.ts';

export const HASH_PASSWORD = '--hash-password';

const PASSWORD_BYTES_MAX = 512;

/** Of the first line of `input`. Throws USAGE. */
export async function hashOfInput(input: NodeJS.ReadStream | ReadStream): Promise<string> {
  if (input.isTTY)
    throw new TandemError('USAGE', `${HASH_PASSWORD} reads the password from stdin`, {
      hint: `read -rs PASSWORD; printf %s "$PASSWORD" | tandem balancer ${HASH_PASSWORD}`,
    });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk as Buffer));
    bytes += (chunk as Buffer).length;
    if (bytes > PASSWORD_BYTES_MAX)
      throw new TandemError('USAGE', `a password of at most ${PASSWORD_BYTES_MAX} bytes is needed`);
  }
  const password = Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '');
  if (password === '' || /[\x00-\x1f\x7f]/.test(password))
    throw new TandemError('USAGE', 'a password of one line is needed on stdin');
  return hashPassword(password);
}
