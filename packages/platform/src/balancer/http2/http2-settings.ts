// What a client of HTTP/2 may cost us (RFC 9113 section 10.5).
import type { ServerOptions } from 'node:http2';
import type { BalancerLimits } from '../../domain/limits.ts';

const WINDOW_BYTES = 64 * 1024;
const SESSION_MEGABYTES_MAX = 10;
/** Frames that make no sense, before the connection ends. */
const INVALID_FRAMES_MAX = 32;
const REJECTED_STREAMS_MAX = 32;

export const http2Settings = (limits: BalancerLimits): ServerOptions => ({
  settings: {
    maxConcurrentStreams: limits.streamsMax,
    initialWindowSize: WINDOW_BYTES,
    maxHeaderListSize: limits.headBytesMax,
  },
  // Four of them are pseudo fields, and Node counts from nothing.
  maxHeaderListPairs: limits.headerCountMax + 4,
  maxSessionMemory: SESSION_MEGABYTES_MAX,
  maxSessionInvalidFrames: INVALID_FRAMES_MAX,
  maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
  streamResetBurst: limits.streamResetBurst,
  streamResetRate: limits.streamResetsPerSecond,
});
