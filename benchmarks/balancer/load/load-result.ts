/** What a load generator got done, every operation of it successfully. */
export interface LoadResult {
  /** Requests, or messages. */
  readonly operations: number;
  readonly seconds: number;
}
