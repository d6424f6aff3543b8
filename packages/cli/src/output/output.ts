// Where a command speaks: lines for people, one document for programs. Live progress only on a
// terminal; in a pipe the same lines come plain, when they are final.
import type { TandemError } from '@tandem/protocol';
import { formatFailure } from './failure.ts';
import { indented, labelled, oneLine, table } from './layout.ts';
import { formatSeconds } from './quantities.ts';

export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface OutputOptions {
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

const PAINT = { bold: '1', dim: '2', red: '1;31', green: '1;32', yellow: '33' } as const;
type Paint = keyof typeof PAINT;

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
/** Some terminals say that they are 0 wide. */
const COLUMNS_DEFAULT = 80;
/** What is over sooner never blinks. */
const LIVE_AFTER_MS = 300;

export class Output {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly #options: OutputOptions;
  #live: { label: string; text: string; sinceMs: number; timer: NodeJS.Timeout } | undefined;
  #painted = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.verbose = options.verbose;
  }

  /** A final line for people; nothing with --json. */
  line(label: string, text: string, ms?: number): void {
    if (this.json) return;
    const plain = labelled(label, text, ms);
    this.#write(this.#options.stdout, this.#paintLabel(plain, label));
  }

  text(text: string): void {
    if (!this.json) this.#write(this.#options.stdout, text);
  }

  dim(text: string): void {
    this.text(this.paint('dim', text));
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const [first = '', ...rest] = table(head, rows).split('\n');
    this.text([this.paint('bold', first), ...rest].join('\n'));
  }

  /** The one answer of the command with --json. */
  document(value: unknown): void {
    if (this.json) this.#write(this.#options.stdout, JSON.stringify(value));
  }

  /** One line of a stream, for programs. */
  record(value: unknown): void {
    this.#write(this.#options.stdout, JSON.stringify(value));
  }

  note(text: string): void {
    this.#write(this.#options.stderr, this.#paintLabel(indented('Note', text), 'Note'));
  }

  failure(error: TandemError, consequence?: string): void {
    if (this.json) {
      this.document({ error: error.toBody() });
      return;
    }
    this.#write(
      this.#options.stderr,
      this.#paintLabel(formatFailure(error, consequence), 'Failed'),
    );
    if (this.verbose && error.cause instanceof Error) {
      this.#write(this.#options.stderr, this.paint('dim', error.cause.stack ?? ''));
    }
  }

  /** Something is under way: a moving line on a terminal, replaced by the next final line. */
  live(label: string, text: string, sinceMs = Date.now()): void {
    if (this.json || this.#options.stdout.isTTY !== true) return;
    if (this.#live) Object.assign(this.#live, { label, text, sinceMs });
    else {
      const timer = setInterval(() => this.#draw(), FRAME_MS);
      timer.unref();
      this.#live = { label, text, sinceMs, timer };
    }
  }

  settle(): void {
    if (this.#live) clearInterval(this.#live.timer);
    this.#live = undefined;
    this.#erase();
  }

  paint(paint: Paint, text: string): string {
    return this.#options.color ? `\u001b[${PAINT[paint]}m${text}\u001b[0m` : text;
  }

  #paintLabel(text: string, label: string): string {
    if (label === '') return text;
    const paint = label === 'Failed' ? 'red' : label === 'Live' ? 'green' : 'bold';
    return this.paint(paint, text.slice(0, label.length)) + text.slice(label.length);
  }

  #draw(): void {
    const live = this.#live;
    if (!live || Date.now() - live.sinceMs < LIVE_AFTER_MS) return;
    const elapsedMs = Date.now() - live.sinceMs;
    const frame = FRAMES[Math.floor(elapsedMs / FRAME_MS) % FRAMES.length] ?? '';
    const room = this.#options.stdout.columns || COLUMNS_DEFAULT;
    const line = labelled(live.label, `${frame} ${formatSeconds(elapsedMs)}  ${live.text}`);
    this.#options.stdout.write(`\r\u001b[2K${this.paint('dim', oneLine(line, room))}`);
    this.#painted = true;
  }

  #erase(): void {
    if (this.#painted) this.#options.stdout.write('\r\u001b[2K');
    this.#painted = false;
  }

  #write(screen: Screen, text: string): void {
    this.#erase();
    screen.write(`${text}\n`);
  }
}

export function wantsColor(screen: Screen, env: NodeJS.ProcessEnv): boolean {
  return screen.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
