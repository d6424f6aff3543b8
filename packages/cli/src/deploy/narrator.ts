// Tells a deploy line by line: a label where a phase begins, steps below it, seconds at the right.
import type { DeployEvent, DeployPhase } from '@tandem/protocol';
import { printable } from '../output/layout.ts';
import type { Output } from '../output/output.ts';

type PhaseEvent = Extract<DeployEvent, { type: 'phase' }>;

const LABELS: Readonly<Record<DeployPhase, string>> = {
  upload: 'Upload',
  detect: 'Detect',
  build: 'Build',
  release: 'Release',
  migrate: 'Migrate',
  start: 'Start',
  switch: 'Switch',
  drain: 'Drain',
};

/** The CLI tells the upload itself. */
const QUIET: ReadonlySet<DeployPhase> = new Set(['upload']);
const LAST_LINES_MAX = 12;

export class Narrator {
  readonly #output: Output;
  #label = '';
  #phase: DeployPhase | undefined;
  #stepSinceMs = Date.now();
  #lastLines: string[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  tell(event: DeployEvent): void {
    if (event.type === 'phase' && !QUIET.has(event.phase)) this.#tellPhase(event);
    if (event.type === 'finding') this.#tellFinding(event);
    if (event.type === 'log') this.#tellLog(event.text);
  }

  /** The last lines of the build or job that failed, when they were not shown as they came. */
  tellLastLines(): void {
    if (!this.#output.verbose) for (const line of this.#lastLines) this.#output.dim(`  | ${line}`);
  }

  #tellPhase(event: PhaseEvent): void {
    const { phase, state, detail, ms } = event;
    if (phase !== this.#phase) this.#lastLines = [];
    this.#phase = phase;
    if (state === 'skipped' && !this.#output.verbose) return;
    const isLine = state === 'progress' ? ms !== undefined : state !== 'started';
    if (isLine && detail !== '') this.#line(phase, printable(detail), ms);
    if (state === 'started' || state === 'progress') this.#underWay(phase, isLine ? '' : detail);
    else this.#output.settle();
  }

  #tellFinding({ finding }: Extract<DeployEvent, { type: 'finding' }>): void {
    const { rule, value, why, evidence, confidence } = finding;
    const doubt = confidence === 'certain' ? undefined : confidence;
    const known = [evidence, doubt].filter(Boolean).join(', ');
    const source = known === '' ? '' : ` (${known})`;
    const reason = this.#output.verbose ? `; ${why}` : '';
    this.#line('detect', printable(`${rule} ${value}${source}${reason}`));
  }

  #tellLog(text: string): void {
    for (const line of text.split('\n')) {
      const clean = printable(line).trimEnd();
      if (clean === '') continue;
      this.#lastLines.push(clean);
      if (this.#lastLines.length > LAST_LINES_MAX) this.#lastLines.shift();
      if (this.#output.verbose) this.#output.dim(`  | ${clean}`);
      else if (this.#phase) this.#output.live(LABELS[this.#phase], clean, this.#stepSinceMs);
    }
  }

  #line(phase: DeployPhase, text: string, ms?: number): void {
    const label = LABELS[phase];
    const [first = '', ...rest] = text.split('\n');
    this.#output.line(label === this.#label ? '' : label, first, ms);
    for (const line of rest) this.#output.line('', line);
    this.#label = label;
  }

  #underWay(phase: DeployPhase, detail: string): void {
    this.#stepSinceMs = Date.now();
    this.#output.live(LABELS[phase], detail, this.#stepSinceMs);
  }
}
