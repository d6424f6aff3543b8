// Bounds of an uploaded source. Here, because the CLI checks them before it sends anything; the
// platform's LIMITS.upload is this object.

const MIB = 1024 * 1024;

export const UPLOAD_LIMITS = {
  /** Of the archive as sent. */
  sizeBytesMax: 512 * MIB,
  unpackedBytesMax: 2 * 1024 * MIB,
  fileCountMax: 100_000,
  pathBytesMax: 1024,
} as const;
