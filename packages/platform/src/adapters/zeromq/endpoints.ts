// Where the three sockets of a server are: requests (ROUTER), published (PUB), pushed (PULL).
export interface Endpoints {
  readonly requests: string;
  readonly published: string;
  readonly pushed: string;
}

/** Unix sockets `<path>.requests`, `<path>.published`, `<path>.pushed`. */
export function ipcEndpoints(path: string): Endpoints {
  return {
    requests: `ipc://${path}.requests`,
    published: `ipc://${path}.published`,
    pushed: `ipc://${path}.pushed`,
  };
}

/** Three ports in a row; `address` may be an IPv4 or IPv6 literal, or `*` for both families. */
export function tcpEndpoints(address: string, firstPort: number): Endpoints {
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    requests: `tcp://${host}:${firstPort}`,
    published: `tcp://${host}:${firstPort + 1}`,
    pushed: `tcp://${host}:${firstPort + 2}`,
  };
}

/** The file behind an ipc endpoint; undefined for others. */
export function ipcPath(endpoint: string): string | undefined {
  return endpoint.startsWith('ipc://') ? endpoint.slice('ipc://'.length) : undefined;
}
