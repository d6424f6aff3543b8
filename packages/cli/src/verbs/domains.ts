// `tandem domains`: the host names of an app, and how it stands with their certificates.
import { readFile } from 'node:fs/promises';
import { TandemError, type DomainView } from '@tandem/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatAgo, formatSeconds } from '../output/quantities.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

const LOOK_INTERVAL_MS = 500;
/** An authority takes some seconds; one that takes longer is not waited for. */
const WAIT_MS_MAX = 60_000;
const SOON_MS = 48 * 3_600_000;
const PEM_BYTES_MAX = 64 * 1024;

const list: Verb = {
  name: 'list',
  summary: 'List the domains of an app with their certificates.',
  scope: 'app',
  run: ({ session }) => show(session),
};

const add: Verb = {
  name: 'add',
  summary: 'Lead a domain to an app and order a certificate; again: try the order again.',
  scope: 'app',
  args: [['<host>', 'www.example.com, or *.example.com for every name below']],
  options: [['--detach', 'return without waiting for the certificate']],
  examples: ['tandem domains add www.bakery.example'],
  async run({ session, args: [host = ''], options }) {
    const { output } = session;
    const app = await session.app();
    const added = await (await session.client()).addDomain(app, host);
    output.line('Domain', `${added.host} leads to "${app}"`);
    const view = options['detach'] === true ? added : await settled(session, app, added);
    output.document({ app, domain: view });
    tell(session, view);
    output.line('Next', `tandem restart -a ${app}   (its processes learn of the name)`);
  },
};

const remove: Verb = {
  name: 'remove',
  summary: 'Take a domain away from an app, and forget its certificate.',
  scope: 'app',
  args: [['<host>', 'as it is listed']],
  async run({ session, args: [host = ''] }) {
    const app = await session.app();
    await (await session.client()).removeDomain(app, host);
    session.output.document({ app, host, removed: true });
    session.output.line('Domain', `${host} does not lead to "${app}" any more`);
  },
};

const importCertificate: Verb = {
  name: 'import',
  summary: 'Use a certificate of your own for a domain; you also bring the next one.',
  scope: 'app',
  args: [
    ['<host>', 'as it is listed'],
    ['<certificate>', 'PEM file: the certificate, then its chain'],
    ['<key>', 'PEM file of its key, not encrypted'],
  ],
  examples: ['tandem domains import www.bakery.example fullchain.pem privkey.pem'],
  async run({ session, args: [host = '', certificate = '', key = ''] }) {
    const upload = {
      chainPem: await readPem(certificate),
      privateKeyPem: await readPem(key),
    };
    const app = await session.app();
    const view = await (await session.client()).importCertificate(app, host, upload);
    session.output.document({ app, domain: view });
    tell(session, view);
  },
};

export const domains: Verb = {
  name: 'domains',
  summary: 'Show or change the domains of an app.',
  scope: 'app',
  children: [list, add, remove, importCertificate],
  run: ({ session }) => show(session),
};

async function show(session: Session): Promise<void> {
  const { output } = session;
  const app = await session.app();
  const views = await (await session.client()).listDomains(app);
  output.document({ app, domains: views });
  output.table(
    ['HOST', 'CERTIFICATE', 'UNTIL', 'WHY'],
    views.map((view) => [view.host, ...row(view, Date.now())]),
  );
  const hints = new Set(views.flatMap(({ certificate }) => certificate.error?.hint ?? []));
  for (const hint of hints) output.line('Fix', hint);
}

export function row({ certificate }: DomainView, nowMs: number): [string, string, string] {
  const { state, source, validUntilMs, failingSinceMs, nextAttemptMs, error } = certificate;
  const since = failingSinceMs === undefined ? '' : ` since ${formatAgo(failingSinceMs, nowMs)}`;
  const next =
    nextAttemptMs === undefined
      ? ''
      : `; next try ${nextAttemptMs <= nowMs ? 'now' : `in ${formatSeconds(nextAttemptMs - nowMs)}`}`;
  return [
    state === 'none' ? (source ?? 'none') : state,
    validUntilMs === undefined ? '-' : formatUntil(validUntilMs, nowMs),
    error === undefined ? '' : `${error.code}${since}: ${error.message}${next}`,
  ];
}

/** The day; of what ends soon, the minute. */
function formatUntil(atMs: number, nowMs: number): string {
  const text = new Date(atMs).toISOString();
  return atMs - nowMs > SOON_MS ? text.slice(0, 10) : `${text.slice(0, 16).replace('T', ' ')} UTC`;
}

function tell({ output }: Session, view: DomainView): void {
  const [state, until, why] = row(view, Date.now());
  const ours = view.certificate.source === 'self-signed';
  if (view.certificate.error === undefined) {
    const detail = ours ? 'signed by the platform itself' : `until ${until}`;
    output.line('TLS', `${state}, ${detail}`);
    return;
  }
  output.line('TLS', `${state}, ${why}`);
  if (view.certificate.error.hint !== undefined) output.line('Fix', view.certificate.error.hint);
}

/** Until the order has come to an end, one way or the other. */
async function settled(session: Session, app: string, added: DomainView): Promise<DomainView> {
  const { output } = session;
  const client = await session.client();
  const startedMs = Date.now();
  let view = added;
  try {
    while (isUnderWay(view) && Date.now() - startedMs < WAIT_MS_MAX) {
      output.live('TLS', `ordering a certificate for ${view.host}`, startedMs);
      await sleep(LOOK_INTERVAL_MS);
      const views = await client.listDomains(app);
      view = views.find(({ host }) => host === added.host) ?? view;
    }
  } finally {
    output.settle();
  }
  return view;
}

function isUnderWay({ certificate }: DomainView): boolean {
  return certificate.state === 'pending' || certificate.state === 'renewing';
}

async function readPem(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TandemError('USAGE', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (text.length <= PEM_BYTES_MAX) return text;
  throw new TandemError('USAGE', `${path} is over 64 KiB, which no PEM file of one site is.`);
}
