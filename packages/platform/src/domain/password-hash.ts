// How a password is kept in a policy: scrypt in the string format of the Password Hashing Competition,
// `$scrypt$ln=15,r=8,p=1$SALT$KEY`, both in base64 without padding.

export interface PasswordHash {
  /** Binary logarithm of scrypt's N. */
  readonly costLog2: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: string;
  readonly key: string;
}

const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43,86})$/;
/** One verification takes 128 * r * N bytes: 64 MiB at most. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
const COST_LOG2_MIN = 10;

/** Undefined when it is none, or one that would cost too much or too little. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [costLog2, blockSize, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isSane = costLog2 >= COST_LOG2_MIN && costLog2 <= 20 && blockSize >= 1 && parallelism >= 1;
  if (!isSane || 128 * blockSize * 2 ** costLog2 > MEMORY_BYTES_MAX || parallelism > 4)
    return undefined;
  return { costLog2, blockSize, parallelism, salt: match[4] ?? '', key: match[5] ?? '' };
}

export function formatPasswordHash({ salt, key, ...cost }: PasswordHash): string {
  const { costLog2, blockSize, parallelism } = cost;
  return `$scrypt$ln=${costLog2},r=${blockSize},p=${parallelism}$${salt}$${key}`;
}
