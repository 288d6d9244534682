// A few named texts in shared memory, written by the main side and read by the fuse thread without either waiting.
//
// Int32 sequence@0 (odd while a writer is at work), Int32 length@4, then JSON in UTF-8. A reader that meets a writer, or
// a half-written text, keeps what it read last.
const headBytes = 8;

export class SharedTexts {
  readonly memory: SharedArrayBuffer;
  private readonly head: Int32Array;
  private readonly body: Uint8Array;
  private last: Readonly<Record<string, string>> = {};
  private lastSequence = -1;

  constructor(memory = new SharedArrayBuffer(headBytes + 256 * 1024)) {
    this.memory = memory;
    this.head = new Int32Array(memory, 0, 2);
    this.body = new Uint8Array(memory, headBytes);
  }

  /** Replaces all texts. What does not fit is left out, the longest first. */
  write(texts: Readonly<Record<string, string>>): void {
    let kept = { ...texts };
    let bytes = Buffer.from(JSON.stringify(kept));
    while (bytes.length > this.body.length) {
      const longest = Object.entries(kept).reduce((one, other) =>
        other[1].length > one[1].length ? other : one,
      );
      kept = { ...kept, [longest[0]]: '' };
      bytes = Buffer.from(JSON.stringify(kept));
    }
    Atomics.add(this.head, 0, 1);
    this.body.set(bytes);
    Atomics.store(this.head, 1, bytes.length);
    Atomics.add(this.head, 0, 1);
  }

  read(): Readonly<Record<string, string>> {
    const sequence = Atomics.load(this.head, 0);
    if (sequence === this.lastSequence || sequence % 2 === 1) return this.last;
    const bytes = Buffer.from(this.body.subarray(0, Atomics.load(this.head, 1)));
    if (Atomics.load(this.head, 0) !== sequence || bytes.length === 0) return this.last;
    this.last = JSON.parse(bytes.toString()) as Readonly<Record<string, string>>;
    this.lastSequence = sequence;
    return this.last;
  }
}
