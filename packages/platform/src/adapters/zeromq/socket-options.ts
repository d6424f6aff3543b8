// Options of every socket: bounded, quick to notice a dead link, both address families.
import { MESSAGE_BYTES_MAX } from './wire.ts';

export const LINK_OPTIONS = {
  ipv6: true,
  linger: 0,
  maxMessageSize: MESSAGE_BYTES_MAX,
  heartbeatInterval: 1_000,
  heartbeatTimeout: 3_000,
  heartbeatTimeToLive: 4_000,
  handshakeInterval: 3_000,
} as const;

export const RECONNECT_OPTIONS = { reconnectInterval: 50, reconnectMaxInterval: 1_000 } as const;

/** Messages waiting for one slow subscriber; what is over is dropped, and seen as a gap. */
export const PUBLISHED_QUEUE_MAX = 1_000;
