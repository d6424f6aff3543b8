// Where published npm packages come from: Node.js itself, package managers. What projects install is
// their package manager's business.

export interface PublishedVersion {
  /** Range of Node versions it says it runs on. */
  readonly node: string | undefined;
}

export interface PackageRegistry {
  /** Set when it is not the one that package managers use by themselves. */
  readonly url: string | undefined;
  /**
   * Version -> what it wants. May be some days old: a redeploy must not wait for the network, nor
   * fail without it. Throws REGISTRY_UNREACHABLE when it was never read.
   */
  versions(name: string): Promise<Readonly<Record<string, PublishedVersion>>>;
  /**
   * Writes the tar archive of a version to a new file, its integrity checked. Throws
   * REGISTRY_UNREACHABLE and leaves nothing.
   */
  download(name: string, version: string, file: string, signal: AbortSignal): Promise<void>;
}
