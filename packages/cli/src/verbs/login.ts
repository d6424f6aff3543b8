// `tandem login`: remembers a platform on another machine, after having spoken to it.
import { connectTo } from '../connection/connection.ts';
import { contextsFile, readContexts, writeContexts } from '../connection/contexts.ts';
import { LOCAL, controlSocketOf } from '../connection/destination.ts';
import { formatSshUrl, parseSshUrl } from '../connection/ssh-url.ts';
import { TandemError } from '@tandem/protocol';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const login: Verb = {
  name: 'login',
  summary:
    'Use the platform of another machine from here on; without an address, list those known.',
  scope: 'platform',
  args: [['[address]', 'ssh://USER@HOST[:PORT], or "local" for this machine']],
  examples: ['tandem login ssh://root@203.0.113.7 --on prod', 'tandem login local'],
  async run({ session, args: [address] }) {
    if (address === undefined) return await list(session);
    if (address === LOCAL) return await useLocal(session);
    await add(session, address);
  },
};

async function add(session: Session, address: string): Promise<void> {
  const target = parseSshUrl(address);
  const url = formatSshUrl(target);
  const name = session.common.on ?? target.host;
  if (name === LOCAL) throw new TandemError('USAGE', '"local" always means this machine.');
  const installation = session.common.installation ?? 'default';
  const connection = await connectTo(
    { kind: 'ssh', name, url, socketPath: controlSocketOf(installation) },
    { interactive: session.interactive, env: session.io.env },
  );
  try {
    const { version } = await connection.client.status();
    await store(session, name, { url, installation });
    session.output.document({ name, url, installation, version });
    session.output.line('Login', `${name} (${url}), Tandem ${version}; used from here on`);
  } finally {
    connection.close();
  }
}

async function store(
  session: Session,
  name: string,
  context: { url: string; installation: string },
): Promise<void> {
  const file = contextsFile(session.io.env);
  const { contexts } = await readContexts(file);
  await writeContexts(file, { current: name, contexts: { ...contexts, [name]: context } });
}

async function useLocal(session: Session): Promise<void> {
  const file = contextsFile(session.io.env);
  const { contexts } = await readContexts(file);
  await writeContexts(file, { contexts });
  session.output.document({ name: LOCAL });
  session.output.line('Login', 'this machine; used from here on');
}

async function list(session: Session): Promise<void> {
  const stored = await readContexts(contextsFile(session.io.env));
  const current = stored.current ?? LOCAL;
  session.output.document({ current, contexts: stored.contexts });
  const rows = Object.entries(stored.contexts).map(([name, { url, installation }]) => [
    name === current ? '*' : '',
    name,
    url,
    installation,
  ]);
  const local = [current === LOCAL ? '*' : '', LOCAL, 'this machine', 'default'];
  session.output.table(['', 'NAME', 'ADDRESS', 'INSTALLATION'], [local, ...rows]);
}
