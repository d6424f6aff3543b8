// A certificate keeper over a real store; authority, DNS and challenges are the test's. A second one
// over the same file is another nexus.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach } from 'vitest';
import { createDnsResolver } from '../../packages/platform/src/adapters/dns/dns-resolver.ts';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';
import { openSqliteStore } from '../../packages/platform/src/adapters/sqlite-store/sqlite-store.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import type {
  CertificateChange,
  ServedCertificate,
} from '../../packages/platform/src/nexus/certificates/certificate-feed.ts';
import {
  CertificateKeeper,
  type CertificateKeeperOptions,
  type CertificateView,
} from '../../packages/platform/src/nexus/certificates/certificate-keeper.ts';
import { Repository } from '../../packages/platform/src/nexus/documents/repository.ts';
import { validateDocument } from '../../packages/platform/src/nexus/documents/schemas.ts';
import { openClusterKeys } from '../../packages/platform/src/nexus/secrets/secret-box.ts';
import { ChallengeResponder } from './challenge-responder.ts';
import { FakeAuthority } from './fake-authority.ts';
import { StubDns } from './stub-dns.ts';

export type KeeperSettings = Partial<
  Pick<CertificateKeeperOptions, 'access' | 'limits' | 'holder' | 'suffix' | 'random'>
>;

export interface RunningKeeper {
  readonly keeper: CertificateKeeper;
  readonly repository: Repository;
  readonly changes: CertificateChange[];
  stop(): Promise<void>;
}

export class CertificateFixture {
  readonly directory: string;
  readonly dns: StubDns;
  readonly reports: string[] = [];
  readonly #running: RunningKeeper[] = [];

  private constructor(directory: string, dns: StubDns) {
    this.directory = directory;
    this.dns = dns;
  }

  static async make(dns: StubDns): Promise<CertificateFixture> {
    return new CertificateFixture(await mkdtemp(join(tmpdir(), 'tandem-certificates-')), dns);
  }

  async start(settings: KeeperSettings = {}): Promise<RunningKeeper> {
    const store = await openSqliteStore({
      path: this.#storeFile,
      validate: validateDocument,
      clock: systemClock,
    });
    const repository = new Repository(store);
    const keeper = new CertificateKeeper({
      repository,
      secrets: await openClusterKeys(join(this.directory, 'keys')),
      clock: systemClock,
      selfSign,
      resolver: createDnsResolver({
        servers: [this.dns.address],
        publicAddresses: ['127.0.0.1'],
      }),
      suffix: 'localhost',
      holder: 'n1',
      random: () => 0,
      report: (text, error) =>
        this.reports.push(error instanceof Error ? `${text}: ${error.message}` : text),
      ...settings,
    });
    const changes: CertificateChange[] = [];
    keeper.onCertificate((change) => changes.push(change));
    const stopping = new AbortController();
    const ended = keeper.run(stopping.signal);
    const running: RunningKeeper = {
      keeper,
      repository,
      changes,
      stop: async () => {
        stopping.abort();
        await ended;
        await store.close();
        this.#running.splice(this.#running.indexOf(running), 1);
      },
    };
    this.#running.push(running);
    return running;
  }

  /** All that the store has on disk. */
  async storedText(): Promise<string> {
    const parts = ['', '-wal'].map((suffix) =>
      readFile(`${this.#storeFile}${suffix}`, 'latin1').catch(() => ''),
    );
    return (await Promise.all(parts)).join('');
  }

  async close(): Promise<void> {
    for (const running of [...this.#running]) await running.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  get #storeFile(): string {
    return join(this.directory, 'store.sqlite');
  }
}

export async function viewOf(
  { keeper }: RunningKeeper,
  host: string,
): Promise<CertificateView | undefined> {
  return (await keeper.domains()).find((view) => view.host === host);
}

export function servedBy({ keeper }: RunningKeeper, host: string): ServedCertificate | undefined {
  return keeper.certificates().find((certificate) => certificate.host === host);
}

/** What `look` finds, once it finds something. */
export async function until<T>(
  look: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<NonNullable<T>> {
  for (const endMs = Date.now() + timeoutMs; Date.now() < endMs; await sleep(10)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`never: ${look.toString()}`);
}

/** All around a keeper, fresh for every test of a file. */
export class CertificateParts {
  dns!: StubDns;
  responder!: ChallengeResponder;
  fixture!: CertificateFixture;
  authority!: FakeAuthority;

  start(settings: KeeperSettings = {}): Promise<RunningKeeper> {
    const { authority, responder } = this;
    return this.fixture.start({ access: { authority, solver: responder }, ...settings });
  }
}

/** `shop.example` leads here, and no other name does. */
export function useCertificates(): CertificateParts {
  const parts = new CertificateParts();
  beforeEach(async () => {
    parts.dns = await StubDns.start();
    parts.responder = await ChallengeResponder.start();
    parts.fixture = await CertificateFixture.make(parts.dns);
    parts.authority = new FakeAuthority();
    parts.dns.add('shop.example', 'A', '127.0.0.1');
  });
  afterEach(async () => {
    await parts.fixture.close();
    await parts.responder.stop();
    await parts.dns.stop();
  });
  return parts;
}
