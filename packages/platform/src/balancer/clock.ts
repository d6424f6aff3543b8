// The time of what is happening now: read once for each event of a socket or a timer, because asking
// for it costs as much as a look into the route table. Whoever takes an event ticks first.
import { performance } from 'node:perf_hooks';

/** The wall clock may be set anew at any time. */
const WALL_SYNC_INTERVAL_MS = 100;

export const clock = {
  /** As performance.now() gives it. */
  nowMs: performance.now(),
  /** Unix time, whole milliseconds. */
  wallMs: Date.now(),
  tick,
};

let syncedAtMs = -Infinity;
let wallOffsetMs = 0;

function tick(): void {
  const nowMs = performance.now();
  if (nowMs - syncedAtMs > WALL_SYNC_INTERVAL_MS) {
    syncedAtMs = nowMs;
    wallOffsetMs = Date.now() - nowMs;
  }
  clock.nowMs = nowMs;
  clock.wallMs = Math.round(nowMs + wallOffsetMs);
}
