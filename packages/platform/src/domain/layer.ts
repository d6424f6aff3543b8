// A layer by name; what it is made of and where it lies is the image store's business.
export interface LayerRef {
  /** Lower-case hex SHA-256 of the image's bytes. */
  readonly sha256: string;
  readonly sizeBytes: number;
}
