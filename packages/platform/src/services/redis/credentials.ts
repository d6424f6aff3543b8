// What opens an app's Redis. The server is the app's own, so its address belongs to it.
export type RedisCredentials = {
  /** Allocated once and never another's: the app knows its server by it. */
  readonly ipv6: string;
  readonly ipv4: string;
  readonly password: string;
};
