// `/.musicfs/`: a few files that say how the daemon is, readable by anything that can read a file. The directory answers
// lookup at the root and is never listed there.
//
// Each lookup is an evaluation: it gets a node version of its own, with its own content and exact size, so whoever has the
// file open reads what it was then. The texts are written by the main side once a second; nothing here waits for it.
import type { NodeAttributes } from '../catalog/tree-reader.ts';
import type { Clock } from '../platform/clock.ts';

/** Above all catalog ids, below 2^32. */
const firstId = 2 ** 32 - 4096;
export const specialDirectory = { id: firstId, name: '.musicfs' } as const;

/** In the order they are listed. `alive` and `refresh` are answered here, the others by the main side. */
export const specialNames = ['alive', 'origins', 'refresh', 'status', 'status.txt', 'warnings'] as const;
export type SpecialName = (typeof specialNames)[number];

interface Evaluation {
  readonly attributes: NodeAttributes;
  readonly content: Buffer;
  handles: number;
}

export interface SpecialFilesOptions {
  readonly clock: Clock;
  /** What the main side wrote last, by name. */
  readonly texts: () => Readonly<Record<string, string>>;
  /** A scan of every origin is asked for. */
  readonly refresh: () => void;
}

const refreshEveryMs = 60_000;
const versions = 2 ** 23 - 1;
/** Evaluations that nobody has open; enough for those between a lookup and its open. */
const mostUnopened = 256;

export class SpecialFiles {
  private readonly options: SpecialFilesOptions;
  private readonly evaluations = new Map<string, Evaluation>();
  /** Not from 1: the kernel may remember those of an earlier life. */
  private version: number;
  private refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SpecialFilesOptions) {
    this.options = options;
    this.version = Math.floor(options.clock.wallMs() / 10) % versions;
  }

  isSpecial(id: number): boolean {
    return id >= firstId && id < firstId + 4096;
  }

  /** The directory itself, with the times of `root`. */
  directory(root: NodeAttributes): NodeAttributes {
    return { ...root, id: specialDirectory.id, links: 2 };
  }

  /** A new evaluation of that file, or undefined when there is none of that name. */
  lookup(name: string): NodeAttributes | undefined {
    const index = (specialNames as readonly string[]).indexOf(name);
    const special = specialNames[index];
    if (special === undefined) return undefined;
    this.version = (this.version % versions) + 1;
    return this.evaluate(special, this.version).attributes;
  }

  /** One that an earlier life of the thread was asked for is made anew: nobody who has it open is to fail. */
  private evaluationOf(id: number, version: number): Evaluation | undefined {
    const known = this.evaluations.get(keyOf(id, version));
    const special = specialNames[id - firstId - 1];
    return known ?? (special === undefined ? undefined : this.evaluate(special, version));
  }

  private evaluate(special: SpecialName, version: number): Evaluation {
    const content = Buffer.from(this.textOf(special));
    const nowMs = this.options.clock.wallMs();
    const seconds = Math.floor(nowMs / 1000);
    const nanoseconds = Math.floor(nowMs % 1000) * 1_000_000;
    const attributes: NodeAttributes = {
      id: firstId + 1 + specialNames.indexOf(special),
      isDirectory: false,
      version,
      size: content.length,
      mtimeSeconds: seconds,
      mtimeNanoseconds: nanoseconds,
      ctimeSeconds: seconds,
      ctimeNanoseconds: nanoseconds,
      links: 1,
    };
    this.forgetUnopened();
    const evaluation = { attributes, content, handles: 0 };
    this.evaluations.set(keyOf(attributes.id, version), evaluation);
    return evaluation;
  }

  attributes(id: number, version: number): NodeAttributes | undefined {
    return this.evaluationOf(id, version)?.attributes;
  }

  /** Somebody opened that evaluation: its content stays. Opening `refresh` asks for a scan, once a minute at most. */
  hold(id: number, version: number): void {
    const evaluation = this.evaluationOf(id, version);
    if (evaluation !== undefined) evaluation.handles += 1;
    if (specialNames[id - firstId - 1] !== 'refresh' || this.isRefreshTooEarly()) return;
    this.refreshedAtMs = this.options.clock.monotonicMs();
    this.options.refresh();
  }

  letGo(id: number, version: number): void {
    this.evaluations.delete(keyOf(id, version));
  }

  /** Copies into `area`; returns the bytes copied, or undefined when there is no such file. */
  read(id: number, version: number, offset: number, length: number, area: Uint8Array): number | undefined {
    const content = this.evaluationOf(id, version)?.content;
    if (content === undefined) return undefined;
    const piece = content.subarray(Math.min(offset, content.length), offset + length);
    area.set(piece);
    return piece.length;
  }

  private textOf(name: SpecialName): string {
    switch (name) {
      case 'alive':
        return 'alive\n';
      case 'refresh':
        return this.isRefreshTooEarly()
          ? 'a scan was asked for less than a minute ago\n'
          : 'a scan is queued\n';
      default:
        return this.options.texts()[name] ?? '';
    }
  }

  private isRefreshTooEarly(): boolean {
    return this.options.clock.monotonicMs() - this.refreshedAtMs < refreshEveryMs;
  }

  private forgetUnopened(): void {
    if (this.evaluations.size < mostUnopened) return;
    for (const [key, { handles }] of this.evaluations) {
      if (handles > 0) continue;
      this.evaluations.delete(key);
      return;
    }
  }
}

function keyOf(id: number, version: number): string {
  return `${id}.${version}`;
}
