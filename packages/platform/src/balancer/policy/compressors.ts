// How many answers a worker compresses at a time: each takes memory of its own, and the rest is as good
// uncompressed.
import {
  type BrotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  type Gzip,
} from 'node:zlib';
import { LIMITS } from '../../domain/limits.ts';
import type { Coding } from './compression.ts';

export type Compressor = Gzip | BrotliCompress;

/** Better costs more than the network gives back for what is made anew for each request. */
const GZIP_LEVEL = 5;
const BROTLI_QUALITY = 4;
/** 256 KiB instead of 4 MiB. */
const BROTLI_WINDOW_LOG2 = 18;

export class Compressors {
  readonly #max: number;
  #taken = 0;

  constructor(max: number = LIMITS.policy.compressorsMax) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#taken >= this.#max;
  }

  take(): void {
    this.#taken += 1;
  }

  release(): void {
    this.#taken -= 1;
  }
}

/** `streams`: what is written comes out at once. */
export function newCompressor(coding: Coding, streams: boolean): Compressor {
  if (coding === 'gzip')
    return createGzip({
      level: GZIP_LEVEL,
      ...(streams && { flush: constants.Z_SYNC_FLUSH }),
    });
  return createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_LOG2,
    },
    ...(streams && { flush: constants.BROTLI_OPERATION_FLUSH }),
  });
}
