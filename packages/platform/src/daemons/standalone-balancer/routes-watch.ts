// Follows the routes file however it is changed: in place, by rename, through a link, deleted and made
// again. What cannot be used leaves everything as it is and is told once.
import { createHash } from 'node:crypto';
import { type FSWatcher, unwatchFile, watch, watchFile } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { hasCode, TandemError } from '@tandem/protocol';
import { parseRoutesFile, type RouteGroup } from '../../balancer/index.ts';

export interface RoutesWatchOptions {
  /** As the user gave it: messages name it so. */
  readonly path: string;
  readonly onRoutes: (groups: readonly RouteGroup[]) => void;
  readonly log: (line: string) => void;
}

const FILE_BYTES_MAX = 256 * 1024 * 1024;
/** An editor writes in several steps. */
const SETTLE_MS = 30;
/** A file that is wrong may only be half written: looked at again before anything is said. */
const DOUBT_MS = 300;
/** Where the kernel tells nothing: network file systems, targets of links. */
const POLL_MS = 1_000;

export async function readRoutesFile(
  path: string,
): Promise<{ text: string; groups: RouteGroup[] }> {
  const text = await readText(path);
  return { text, groups: parseRoutesFile(text, path) };
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX)
      throw new TandemError('ROUTES_FILE_INVALID', `${path}: over ${FILE_BYTES_MAX} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ROUTES_FILE_INVALID')) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new TandemError('ROUTES_FILE_INVALID', `${path}: ${UNREADABLE[code] ?? String(error)}`);
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the file may not be read by this user',
  EISDIR: 'this is a directory, not a file',
};

export class RoutesWatch {
  readonly #options: RoutesWatchOptions;
  readonly #path: string;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();
  /** Of the content in use. */
  #used = '';
  /** The complaint that was told last, and the one that waits to be told. */
  #told = '';
  #doubted = '';

  constructor(options: RoutesWatchOptions) {
    this.#options = options;
    this.#path = resolve(options.path);
  }

  /** Throws ROUTES_FILE_INVALID: there is nothing to serve by. */
  async start(): Promise<void> {
    const { text, groups } = await readRoutesFile(this.#options.path);
    this.#used = hash(text);
    this.#options.onRoutes(groups);
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), (_event, changed) => {
        // Whatever moves beside it may be what a link leads through.
        if (changed === null || changed === name || changed.startsWith('..')) this.#soon(SETTLE_MS);
      });
      this.#watcher.on('error', (error) => this.#options.log(`watching: ${String(error)}`));
    } catch (error) {
      this.#options.log(`changes are seen by polling only: ${String(error)}`);
    }
    watchFile(this.#path, { interval: POLL_MS }, () => this.#soon(SETTLE_MS));
  }

  /** Now, and with an answer in any case. */
  async reread(): Promise<void> {
    this.#told = '';
    this.#doubted = '';
    await this.#read({ asked: true });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
    unwatchFile(this.#path);
  }

  #soon(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read({ asked: false }), delayMs);
  }

  #read(options: { asked: boolean }): Promise<void> {
    this.#reading = this.#reading.then(() => this.#readNow(options));
    return this.#reading;
  }

  async #readNow({ asked }: { asked: boolean }): Promise<void> {
    const { path, log, onRoutes } = this.#options;
    try {
      const text = await readText(path);
      const used = hash(text);
      if (used === this.#used) {
        if (asked) log(`${path}: unchanged`);
      } else {
        const groups = parseRoutesFile(text, path);
        this.#used = used;
        onRoutes(groups);
      }
      this.#told = '';
      this.#doubted = '';
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error), asked);
    }
  }

  #complain(complaint: string, asked: boolean): void {
    if (complaint === this.#told) return;
    if (!asked && complaint !== this.#doubted) {
      this.#doubted = complaint;
      return this.#soon(DOUBT_MS);
    }
    this.#told = complaint;
    this.#options.log(`${complaint}\nthe routes stay as they were`);
  }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
