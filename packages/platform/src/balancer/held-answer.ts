// A small answer is passed on once all of it is here: one that breaks off half-way can then be asked
// for again, where a client that has seen its head could only be cut off.
import type { IncomingMessage } from 'node:http';
import { LIMITS } from '../domain/limits.ts';

export interface HeldAnswer {
  /** All of it came, or its time is over: what came so far; the rest follows as events. */
  readonly onRelease: (chunks: readonly Buffer[]) => void;
  readonly onBroken: () => void;
}

export function isHoldable(answer: IncomingMessage): boolean {
  const length = answer.headers['content-length'];
  return length !== undefined && Number(length) <= LIMITS.balancer.heldAnswerBytesMax;
}

/** Calls exactly one of the two, once. */
export function holdAnswer(answer: IncomingMessage, { onRelease, onBroken }: HeldAnswer): void {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer): void => void chunks.push(chunk);
  const letGo = (): void => {
    clearTimeout(timer);
    answer.off('data', keep).off('end', release).off('close', broken);
  };
  const release = (): void => {
    letGo();
    onRelease(chunks);
  };
  const broken = (): void => {
    letGo();
    onBroken();
  };
  // An app that dribbles its answer is not made slower than it is.
  const timer = setTimeout(release, LIMITS.balancer.heldAnswerMs);
  answer.on('data', keep).once('end', release).once('close', broken);
}
