// A control server with a fake backend on a socket of its own, fresh for every test of a file.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { ControlClient } from '@tandem/protocol/client';
import { afterEach, beforeEach, vi } from 'vitest';
import {
  startControlServer,
  type ControlServer,
} from '../../packages/platform/src/nexus/control/control-server.ts';
import { FakeControlBackend } from './fake-control-backend.ts';

export const UPLOAD_BYTES_MAX = 1_000_000;

export class ControlFixture {
  directory = '';
  uploads = '';
  socketPath = '';
  backend!: FakeControlBackend;
  server!: ControlServer;
  client!: ControlClient;
  readonly defects: TandemError[] = [];

  async setUp(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), 'tandem-api-'));
    this.uploads = await mkdtemp(join(this.directory, 'uploads-'));
    this.socketPath = join(this.directory, 'control.sock');
    this.backend = new FakeControlBackend(this.uploads);
    this.defects.length = 0;
    await this.start();
    this.client = new ControlClient(this.socketPath);
  }

  async start(): Promise<void> {
    this.server = await startControlServer({
      socketPath: this.socketPath,
      backend: this.backend,
      onDefect: (error) => void this.defects.push(error),
      uploadLimits: { sizeBytesMax: UPLOAD_BYTES_MAX, idleMs: 1_000 },
    });
  }

  async tearDown(): Promise<void> {
    await this.server.close();
    await rm(this.directory, { recursive: true });
  }
}

export function useControlServer(): ControlFixture {
  const fixture = new ControlFixture();
  beforeEach(() => fixture.setUp());
  afterEach(() => fixture.tearDown());
  return fixture;
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (error instanceof TandemError ? error.code : String(error)),
  );
}

/** Until what the server does behind the answer has happened. */
export function eventually(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: 20_000, interval: 20 });
}

export async function collect<T, R>(items: AsyncIterable<T>, map: (item: T) => R): Promise<R[]> {
  const collected: R[] = [];
  for await (const item of items) collected.push(map(item));
  return collected;
}
