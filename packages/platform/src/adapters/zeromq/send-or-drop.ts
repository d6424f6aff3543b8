// Sends where losing the message is part of the deal: the other end asks again or sees the gap.
import type { MessageLike } from 'zeromq';

interface Sendable {
  send(frames: MessageLike | MessageLike[]): Promise<void>;
}

export async function sendOrDrop(
  socket: Sendable,
  frames: MessageLike | MessageLike[],
): Promise<void> {
  try {
    await socket.send(frames);
  } catch {
    // Closed, peer gone, or queue full.
  }
}
