// Physical lines from chunks of a file. A line longer than the bound is handed out in pieces: a file
// without line feeds must not fill memory.

const LINE_FEED = 0x0a;

export class LineSplitter {
  readonly #lineBytesMax: number;
  #carry: Buffer = Buffer.alloc(0);

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Bytes taken in that no line feed has ended yet. */
  get carriedBytes(): number {
    return this.#carry.length;
  }

  /** Lines without their line feeds. They share memory with `chunk`. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let rest = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      lines.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > this.#lineBytesMax) {
      lines.push(rest);
      rest = Buffer.alloc(0);
    }
    this.#carry = rest;
    return lines;
  }

  /** The line that ends with the file, if there is one. */
  end(): Buffer[] {
    const carry = this.#carry;
    this.#carry = Buffer.alloc(0);
    return carry.length > 0 ? [carry] : [];
  }
}
