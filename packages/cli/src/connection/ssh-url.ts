// `ssh://root@host:2222` taken apart; strict, because its parts become arguments of ssh.
import { TandemError } from '@tandem/protocol';

export interface SshTarget {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

const NAME = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}';
const SSH_URL = new RegExp(
  `^ssh://(?:(?<user>${NAME})@)?(?:(?<host>${NAME})|\\[(?<ipv6>[0-9A-Fa-f:.]{2,45})\\])(?::(?<port>[0-9]{1,5}))?/?$`,
);

export function parseSshUrl(url: string): SshTarget {
  const groups = SSH_URL.exec(url)?.groups;
  const host = groups?.['host'] ?? groups?.['ipv6'];
  const port = groups?.['port'] === undefined ? undefined : Number(groups['port']);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new TandemError(
      'USAGE',
      `"${url}" is not an address of the form ssh://USER@HOST[:PORT].`,
      {
        hint: 'tandem login ssh://root@HOST',
      },
    );
  }
  return { user: groups?.['user'], host, port };
}

export function formatSshUrl({ user, host, port }: SshTarget): string {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return `ssh://${user === undefined ? '' : `${user}@`}${shownHost}${port === undefined ? '' : `:${port}`}`;
}
