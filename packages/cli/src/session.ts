// What a command gets to work with: where to speak, which app, and the connection on demand.
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ControlClient } from '@tandem/protocol/client';
import type { Connection } from './connection/connection.ts';
import type { Interrupts } from './interrupts.ts';
import type { AppChoice } from './link/app-choice.ts';
import { chooseApp } from './link/app-choice.ts';
import { findLink } from './link/link-file.ts';
import type { Output, Screen } from './output/output.ts';

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export interface CommonOptions {
  readonly app?: string;
  readonly on?: string;
  readonly installation?: string;
}

export class Session {
  readonly io: Io;
  readonly output: Output;
  readonly interrupts: Interrupts;
  readonly common: CommonOptions;
  /** Monotonic milliseconds at which the command began. */
  readonly startedAtMs = performance.now();
  #connection: Promise<Connection> | undefined;

  constructor(parts: { io: Io; output: Output; interrupts: Interrupts; common: CommonOptions }) {
    this.io = parts.io;
    this.output = parts.output;
    this.interrupts = parts.interrupts;
    this.common = parts.common;
  }

  get elapsedMs(): number {
    return performance.now() - this.startedAtMs;
  }

  /** Somebody sits there and can answer a question. */
  get interactive(): boolean {
    return this.io.stdin.isTTY === true && this.io.stdout.isTTY === true && !this.output.json;
  }

  /** `folder`: whose link decides, when no option or variable does. */
  connect(folder = this.io.cwd): Promise<Connection> {
    this.#connection ??= this.#open(folder);
    return this.#connection;
  }

  async client(): Promise<ControlClient> {
    return (await this.connect()).client;
  }

  /** Of the context in use, to be remembered in a link; undefined for this machine. */
  async contextName(): Promise<string | undefined> {
    const { isContext, name } = await this.connect();
    return isContext ? name : undefined;
  }

  async app(): Promise<string> {
    return (await this.#choose()).app;
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
  }

  #choose(): Promise<AppChoice> {
    return chooseApp({ option: this.common.app, env: this.io.env, folder: this.io.cwd });
  }

  async #open(folder: string): Promise<Connection> {
    const { env } = this.io;
    const [{ connectTo }, { contextsFile, readContexts }, { chooseDestination }] =
      await Promise.all([
        import('./connection/connection.ts'),
        import('./connection/contexts.ts'),
        import('./connection/destination.ts'),
      ]);
    const destination = chooseDestination({
      on: this.common.on,
      installation: this.common.installation,
      env,
      linkOn: (await findLink(resolve(folder)))?.on,
      contexts: await readContexts(contextsFile(env)),
    });
    return await connectTo(destination, { interactive: this.interactive, env });
  }
}
