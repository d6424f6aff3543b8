// Who may connect: a file of admitted public keys, one `name key` a line, read anew at each
// handshake, so `node join` needs no restart. Served to libzmq over ZAP (rfc.zeromq.org/spec/27).
import { readFile } from 'node:fs/promises';
import { type Context, Reply } from 'zeromq';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { isCurveKey } from './curve-keys.ts';
import { sendOrDrop } from './send-or-drop.ts';

export const ZAP_DOMAIN = 'tandem';
const ZAP_ENDPOINT = 'inproc://zeromq.zap.01';
const Z85 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

export type AdmittedKeys = Readonly<Record<string, string>>;

/** Replaces the file; `keys` maps a name of `[a-z0-9.-]+` to its public key. */
export async function writeAdmittedKeys(file: string, keys: AdmittedKeys): Promise<void> {
  const lines = Object.entries(keys).map(([name, key]) => `${name} ${key}\n`);
  await writeFileAtomic(file, lines.join(''), 0o644);
}

/** Public key -> name. A line that cannot be read admits nobody. */
export async function readAdmittedKeys(file: string): Promise<Map<string, string>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const admitted = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name, key] = line.split(' ');
    if (name && key && isCurveKey(key)) admitted.set(key, name);
  }
  return admitted;
}

/** Must be bound before the first socket of its context that carries ZAP_DOMAIN. */
export class Admission {
  readonly #socket: Reply;
  readonly #file: string;

  constructor(context: Context, file: string) {
    this.#socket = new Reply({ context, linger: 0 });
    this.#file = file;
  }

  async open(): Promise<void> {
    await this.#socket.bind(ZAP_ENDPOINT);
    void this.#serve();
  }

  close(): void {
    this.#socket.close();
  }

  async #serve(): Promise<void> {
    for await (const frames of this.#socket) {
      const verdict = await this.#judge(frames);
      // Dropped only when the server closed meanwhile.
      await sendOrDrop(this.#socket, ['1.0', frames[1] ?? '', ...verdict, '']);
    }
  }

  /**
   * Status code, status text, user id. Refused with 300 ("try again"), not 400: after that libzmq
   * never connects again, and a node that is admitted later would have to be restarted.
   */
  async #judge(frames: Buffer[]): Promise<[string, string, string]> {
    const [, , domain, , , mechanism, key] = frames;
    if (domain?.toString() !== ZAP_DOMAIN || mechanism?.toString() !== 'CURVE' || !key)
      return ['300', 'CURVE only', ''];
    const name = (await readAdmittedKeys(this.#file)).get(encodeZ85(key));
    return name === undefined ? ['300', 'key not admitted', ''] : ['200', 'OK', name];
  }
}

/** ZeroMQ's text form of binary keys (rfc.zeromq.org/spec/32); ZAP hands them over as bytes. */
export function encodeZ85(bytes: Buffer): string {
  let text = '';
  for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
    const value = bytes.readUInt32BE(offset);
    for (const divisor of [85 ** 4, 85 ** 3, 85 ** 2, 85, 1])
      text += Z85[Math.floor(value / divisor) % 85];
  }
  return text;
}
