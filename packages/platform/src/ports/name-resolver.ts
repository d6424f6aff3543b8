// What the public DNS says, not what the files of this machine do.
export interface NameResolver {
  /**
   * Addresses of both families; none when the name does not exist or has none. Rejects when the DNS
   * did not answer.
   */
  addresses(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Where the world reaches this machine; undefined when that cannot be told from here. */
  ownAddresses(): readonly string[] | undefined;
}
