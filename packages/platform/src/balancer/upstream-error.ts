// What an error of a connection to an instance is called before visitors.

export const notHttp = Object.assign(new Error('not HTTP'), { code: 'NOT_HTTP' });
export const brokenOff = Object.assign(new Error('broken off'), { code: 'ECONNRESET' });

/** For the page a visitor sees: no addresses, no internals. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  const { code } = error;
  return (code !== undefined && REASONS[code]) || 'The site did not answer.';
}

const REASONS: Readonly<Record<string, string>> = {
  NOT_HTTP: 'The answer of the site is not valid HTTP.',
  ECONNREFUSED: 'No instance of the site accepts connections.',
  ECONNRESET: 'The site closed the connection before it answered.',
  EPIPE: 'The site closed the connection before it answered.',
  EHOSTUNREACH: 'The site cannot be reached.',
  ENETUNREACH: 'The site cannot be reached.',
  ETIMEDOUT: 'The site does not accept connections in time.',
};

/** By a packet of the other end; an orderly close, after all was read, has no system call to name. */
export const isReset = ({ code, syscall }: NodeJS.ErrnoException): boolean =>
  syscall !== undefined && (code === 'ECONNRESET' || code === 'EPIPE');
