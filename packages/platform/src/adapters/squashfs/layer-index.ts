// What was built from which inputs: `<key>.json` names a layer. An entry whose layer is gone does
// not count.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';

const HASH = /^[0-9a-f]{64}$/;

export class LayerIndex {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The hash bound to a key; undefined also when the entry cannot be read. */
  async read(key: string): Promise<string | undefined> {
    const text = await readFile(this.#path(key), 'utf8').catch(() => '{}');
    const sha256 = sha256In(text);
    return sha256 !== undefined && HASH.test(sha256) ? sha256 : undefined;
  }

  async write(key: string, sha256: string): Promise<void> {
    const path = this.#path(key);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, JSON.stringify({ sha256 }));
  }

  #path(key: string): string {
    if (!HASH.test(key)) throw new Error(`${JSON.stringify(key)} is not a hex SHA-256`);
    return join(this.#directory, `${key}.json`);
  }
}

function sha256In(text: string): string | undefined {
  try {
    const { sha256 } = JSON.parse(text) as { sha256?: unknown };
    return typeof sha256 === 'string' ? sha256 : undefined;
  } catch {
    return undefined;
  }
}
