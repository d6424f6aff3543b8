// Follows the sequence of one topic of one server and tells when something was missed. Pure.
import type { Beat, Stamp } from './wire.ts';

export type Verdict =
  | 'next'
  /** Seen before. */
  | 'old'
  /** Something came before this that we have not seen: a gap, a new server, or the first contact. */
  | 'gap';

export class SequenceTracker {
  #run: string | undefined;
  #sequence = 0;

  onMessage({ run, sequence }: Stamp): Verdict {
    if (run === this.#run && sequence <= this.#sequence) return 'old';
    const verdict = run === this.#run && sequence === this.#sequence + 1 ? 'next' : 'gap';
    this.#run = run;
    this.#sequence = sequence;
    return verdict;
  }

  onBeat({ run, sequences }: Beat, topic: string): Verdict {
    const sequence = sequences[topic] ?? 0;
    if (run === this.#run && sequence <= this.#sequence) return 'old';
    this.#run = run;
    this.#sequence = sequence;
    return 'gap';
  }
}
