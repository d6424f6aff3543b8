import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../ports/transport.ts';
import type { CertificateChange, ServedCertificate } from './certificate-feed.ts';
import { CertificatePublisher } from './certificate-publisher.ts';

const certificate = (host: string, more: Partial<ServedCertificate> = {}): ServedCertificate => ({
  host,
  names: [host],
  chainPem: '-----BEGIN CERTIFICATE-----',
  privateKeyPem: '-----BEGIN PRIVATE KEY-----',
  source: 'acme',
  fingerprint: 'f',
  notAfterMs: 1,
  isFallback: false,
  ...more,
});

class Keeper {
  all: ServedCertificate[] = [certificate('a.example')];
  listeners = new Set<(change: CertificateChange) => void>();

  certificates(): ServedCertificate[] {
    return this.all;
  }

  onCertificate(listener: (change: CertificateChange) => void): () => void {
    this.listeners.add(listener);
    for (const one of this.all) listener({ kind: 'set', certificate: one });
    return () => this.listeners.delete(listener);
  }

  tell(change: CertificateChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

let published: Message[];
let keeper: Keeper;
let publisher: CertificatePublisher;
let stopping: AbortController;
let wake: () => void;

beforeEach(() => {
  published = [];
  keeper = new Keeper();
  stopping = new AbortController();
  publisher = new CertificatePublisher({
    server: { publish: (_topic, message) => Promise.resolve(void published.push(message)) },
    clock: {
      sleep: () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    },
    report: (text) => {
      throw new Error(text);
    },
  });
});
afterEach(() => stopping.abort());

const get = (): Message => publisher.answer({ type: 'certificates.get' });

describe('certificates for balancers', () => {
  it('are refused until they are complete', () => {
    expect(get).toThrow('not complete');
    publisher.follow(keeper, stopping.signal);
    expect(get()).toMatchObject({ epoch: 0, certificates: [{ host: 'a.example' }] });
    expect(published).toEqual([]);
  });

  it('every change is told once, and counted', () => {
    publisher.follow(keeper, stopping.signal);
    const { run } = get();
    keeper.tell({ kind: 'set', certificate: certificate('b.example') });
    keeper.tell({ kind: 'removed', host: 'a.example' });
    expect(published).toMatchObject([
      { type: 'certificates.update', run, epoch: 1, certificate: { host: 'b.example' } },
      { type: 'certificates.update', run, epoch: 2, removedHost: 'a.example' },
    ]);
    expect(get()).toMatchObject({ run, epoch: 2 });
  });

  it('each is shown for the host it is kept for; the fallback for all its names', () => {
    keeper.all = [
      certificate('a.example', { names: ['a.example', 'b.example'] }),
      certificate('*.localhost', { names: ['localhost', '*.localhost'], isFallback: true }),
    ];
    publisher.follow(keeper, stopping.signal);
    expect(get()['certificates']).toMatchObject([
      { names: ['a.example'], isFallback: false },
      { names: ['localhost', '*.localhost'], isFallback: true },
    ]);
  });

  it('come with a ticket key that changes with time', async () => {
    publisher.follow(keeper, stopping.signal);
    const first = get()['ticketKey'] as Uint8Array;
    expect(first).toHaveLength(48);
    wake();
    await new Promise(setImmediate);
    const second = get()['ticketKey'] as Uint8Array;
    expect(published).toMatchObject([{ epoch: 1, ticketKey: second }]);
    expect(Buffer.from(second).equals(first)).toBe(false);
  });

  it('of another nexus are told apart by its run', () => {
    publisher.follow(keeper, stopping.signal);
    const other = new CertificatePublisher({
      server: { publish: () => Promise.resolve() },
      clock: { sleep: () => new Promise(() => undefined) },
      report: () => undefined,
    });
    other.follow(keeper, stopping.signal);
    expect(other.answer({ type: 'certificates.get' })['run']).not.toBe(get()['run']);
  });
});
