// What an error of a connection to an instance is called before visitors.

/** For the page a visitor sees: no addresses, no internals. */
export function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && REASONS[code]) || 'The answer of the site is not valid HTTP.';
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'No instance of the site accepts connections.',
  ECONNRESET: 'The site closed the connection before it answered.',
  EPIPE: 'The site closed the connection before it answered.',
  EHOSTUNREACH: 'The site cannot be reached.',
  ENETUNREACH: 'The site cannot be reached.',
  ETIMEDOUT: 'The site does not accept connections in time.',
};
