// Wire scenes on one mount, one after the other, each with an album of its own: as much of it is read beforehand as the cell
// says, a fault comes, readers check every byte, name and deadline while it lasts, it goes, and everything is well again
// without help. Answers what was seen and what of it must not be. Leaves nothing mounted, however it ends.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeFlac } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { Library } from '../../fixtures/mounted.ts';
import { childrenOf, commandOf } from '../../fixtures/processes.ts';
import type { WireFile, WireReport } from '../../fixtures/programs/wire-reader.ts';
import { configure } from '../../fixtures/remote-library.ts';
import { TalkingChild } from '../../fixtures/talking-child.ts';
import { leavesOf } from '../harness/scene.ts';
import { type Cell, isSealed, nameOf, type WireKind } from './cells.ts';
import type { WirePlace, WireServers } from './wire-places.ts';

export interface WireOptions {
  readonly seed: number;
  /** How long each fault lasts, ms. */
  readonly faultMs: number;
  /** Deadlines of calls to origins; null: the real ones. */
  readonly originLimits: Readonly<Record<string, number>> | null;
  /** What one read may take, ms, and one look at the whole tree. */
  readonly readMs: number;
  readonly walkMs: number;
  /** No cell is begun afterwards. */
  readonly signal?: AbortSignal;
  readonly onCell?: (result: CellResult) => void;
}

export interface CellResult {
  readonly cell: Cell;
  readonly report: WireReport;
  /** Faults that hit something. */
  readonly hits: number;
  /** From the end of the fault until everything was well, ms. */
  readonly wellMs: number;
  readonly broken: readonly string[];
}

const songs = 6;
const coreSongs = 2;
const wellMs = 60_000;
/** What failed at the very end of the fault may be remembered for 2 s. */
const stillRefusedMs = 4_000;
const descriptorSlack = 5;
/** What is known to be down is refused so soon; the spec's 50 ms, and the look of a busy machine at its clock. */
const refusedAtOnceMs = 250;

/** All of one kind, in that order; one whose fault does not end must be the last. */
export async function runCells(
  servers: WireServers,
  kind: WireKind,
  cells: readonly Cell[],
  options: WireOptions,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  if (cells.length === 0) return results;
  // Files of a local disk are read where they lie, unless they are to be kept.
  const isBare = kind === 'local' && cells.every(({ state }) => state === 'cold');
  const place = isBare ? await servers.bareDisk() : await servers.place(kind, options.seed);
  const mount = new WireMount(kind, place, isBare, options);
  try {
    await mount.begin(cells.length);
    for (const [index, cell] of cells.entries()) {
      if (options.signal?.aborted === true) break;
      const result = await mount.run(cell, index + 1);
      results.push(result);
      options.onCell?.(result);
    }
  } finally {
    await mount.end();
    await place.end();
  }
  return results;
}

interface Quiet {
  readonly descriptors: number;
  readonly children: readonly string[];
}

class WireMount {
  private readonly kind: WireKind;
  private readonly place: WirePlace;
  private readonly isBare: boolean;
  private readonly options: WireOptions;
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'musicfs-wire-truth-'));
  private readonly library: Library;
  private reader: TalkingChild | null = null;
  private endReader: () => void = () => undefined;
  private albums = 0;
  /** That of the cell under way, from 1. */
  private album = 1;

  constructor(kind: WireKind, place: WirePlace, isBare: boolean, options: WireOptions) {
    this.kind = kind;
    this.place = place;
    this.isBare = isBare;
    this.options = options;
    mkdirSync(this.truth('core'), { recursive: true });
    this.library = new Library(this.folder);
  }

  async begin(albums: number): Promise<void> {
    this.albums = albums;
    for (let album = 1; album <= albums; album += 1) {
      for (let track = 1; track <= songs; track += 1) {
        const bytes = song(`Wire ${album}`, track, 1_000_000 + 350_000 * (track - 1));
        writeFileSync(this.truth(nameOfSong(album, track)), bytes);
        await this.place.put(nameOfSong(album, track), bytes);
      }
    }
    for (let track = 1; track <= coreSongs; track += 1)
      writeFileSync(this.truth(`core/${track}.flac`), song('Core', track, 300_000));
    configure(
      this.library,
      [
        { id: 'wire', ...this.place.table },
        { id: 'core', kind: 'local', path: this.truth('core') },
      ],
      '[fuse]\npassthrough = "never"',
    );
    const { originLimits } = this.options;
    const env: Record<string, string> =
      originLimits === null ? {} : { MUSICFS_TEST_ORIGIN_LIMITS: JSON.stringify(originLimits) };
    await this.library.mount({ env });
    await eventually('every file is listed', async () => {
      const { files, scan } = await this.library.status();
      if (files === albums * songs + coreSongs) return true;
      if (!scan.running) await this.library.startScan();
      throw new Error(`${files} files`);
    });
    this.reader = new TalkingChild(
      this.library.mountPoint,
      'wire-reader',
      [this.library.mountPoint],
      (end) => {
        this.endReader = end;
      },
    );
  }

  async run(cell: Cell, album: number): Promise<CellResult> {
    this.album = album;
    const { place, options } = this;
    const broken: string[] = [];
    const note = (what: string) => broken.push(`${nameOf(cell)}: ${what}`);
    if (!this.isBare) await this.fill(this.wireFiles('right').slice(0, keptOf(cell.state)));
    const before = await this.quiet();
    const files = this.files(cell);
    await place.strike(cell.fault);
    const all = Array.from({ length: this.albums }, (_, index) => this.albumFiles(index + 1, 'right'));
    const tree = [...all.flat(), ...this.coreFiles()].map((file) => file.path);
    await this.ask({ read: files, tree, paceMs: paceOf(options.faultMs), seed: options.seed });
    await pause(options.faultMs);
    const isOver = cell.fault !== 'gone';
    // What waits for the fault to end may do so: the readers end what they have in hand, each within its deadline.
    const report = await this.ask<WireReport>({ stop: true }, options.readMs * 3);
    const hits = await place.hits();
    for (const what of report.wrong) note(what);
    if (report.longestMs > options.readMs) note(`a read took ${report.longestMs} ms`);
    if (report.longestWalkMs > options.walkMs) note(`a walk took ${report.longestWalkMs} ms`);
    if (report.reads < 3 || report.walks < 2) note(`only ${report.reads} reads and ${report.walks} walks`);
    for (const what of missed(cell, this.isBare, report, hits)) note(what);

    if (isOver) await place.heal();
    const endedAtMs = performance.now();
    let tookMs = wellMs;
    try {
      await this.untilWell(isOver);
      tookMs = performance.now() - endedAtMs;
      if (isOver) await this.readAll(cell, note);
      else await this.readWhatIsLeft(cell, note);
      await this.untilLetGo(before);
    } catch (error) {
      note(String(error instanceof Error ? (error.cause ?? error.message) : error));
    }
    const { restartsTotal } = (await this.library.status()).supervision;
    if (restartsTotal > 0) note(`${restartsTotal} parts of the daemon were restarted`);
    for (const { event, error } of this.library.log())
      if (event === 'crashed' || event === 'gave-up') note(`${event}: ${String(error)}`);
    return { cell, report, hits, wellMs: Math.round(tookMs), broken };
  }

  async end(): Promise<void> {
    this.endReader();
    await this.library.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Reads as many of the album whole as the cell says. */
  private async fill(files: readonly WireFile[]): Promise<void> {
    const { wrong } = await this.ask<WireReport>({ once: files }, wellMs);
    if (wrong.length > 0) throw new Error(`before the fault: ${wrong.join(', ')}`);
    for (const file of files) {
      await eventually(`${file.path} is kept whole`, async () => {
        const env = { F: path.join(this.library.mountPoint, file.path) };
        const share = await this.library.shell('getfattr --only-values -n user.musicfs.cached "$F"', { env });
        if (share === '100') return true;
        throw new Error(`it is kept to ${share} %`);
      });
    }
  }

  /** Only a person can tell that what is kept is wrong. What is in memory goes with the life that has read it. */
  private async forget(): Promise<void> {
    for (const args of [
      ['cache', 'clear', '--mount', this.library.mountPoint],
      ['restart', this.library.mountPoint],
    ]) {
      const { code, stderr } = await this.library.run(args);
      if (code !== 0) throw new Error(`${args[0]}: ${stderr}`);
    }
  }

  private files(cell: Cell): WireFile[] {
    const kept = this.isBare ? 0 : keptOf(cell.state);
    // Nobody can tell a bit that was turned where neither the way nor a hash seals it.
    const open = cell.fault === 'corrupting' && !isSealed(this.kind) ? 'flips' : 'fails';
    const mustCome = cell.fault === 'healthy' || cell.fault === 'slow';
    return [
      ...this.wireFiles('right').slice(0, kept),
      ...this.wireFiles(mustCome ? 'right' : open).slice(kept),
      ...this.coreFiles(),
    ];
  }

  private async untilWell(isOver: boolean): Promise<void> {
    await eventually(
      isOver ? 'all is well' : 'the origin is known to be gone, and all else is well',
      async () => {
        const { state, origins, scan, session } = await this.library.status();
        const wire = origins.find(({ id }) => id === 'wire')?.state;
        const core = origins.find(({ id }) => id === 'core')?.state;
        const isRight = isOver ? state === 'ready' && wire === 'healthy' : wire === 'unhealthy';
        if (isRight && core === 'healthy' && !scan.running && session.openHandles === 0) return true;
        throw new Error(
          `${state}: wire ${wire}, core ${core}, scanning ${scan.running}, ${session.openHandles} open`,
        );
      },
      wellMs,
    );
  }

  /** Everything reads right; what may have been kept wrong is let go first, as only a person can tell. */
  private async readAll(cell: Cell, note: (what: string) => unknown): Promise<void> {
    if (cell.fault === 'corrupting' && !isSealed(this.kind) && !this.isBare) await this.forget();
    await eventually(
      'every file reads right',
      async () => {
        const files = [...this.wireFiles('fails'), ...this.coreFiles()];
        const { wrong, refused } = await this.ask<WireReport>({ once: files }, wellMs);
        for (const what of wrong) note(`afterwards ${what}`);
        if (refused === 0 || wrong.length > 0) return true;
        throw new Error(`${refused} files are still refused`); // a range that failed is so for 2 s
      },
      stillRefusedMs,
    );
  }

  /** What is kept plays, the rest is refused at once. */
  private async readWhatIsLeft(cell: Cell, note: (what: string) => unknown): Promise<void> {
    const kept = this.isBare ? 0 : keptOf(cell.state);
    const [held, lost] = [this.wireFiles('right').slice(0, kept), this.wireFiles('fails').slice(kept)];
    const { wrong } = await this.ask<WireReport>({ once: [...held, ...this.coreFiles()] }, wellMs);
    for (const what of wrong) note(`afterwards ${what}`);
    const refusals = await this.ask<WireReport>({ once: lost }, wellMs);
    for (const what of refusals.wrong) note(`afterwards ${what}`);
    if (refusals.longestRefusalMs > refusedAtOnceMs)
      note(`a read of what is known to be gone was refused after ${refusals.longestRefusalMs} ms`);
  }

  private async quiet(): Promise<Quiet> {
    const { daemon } = await this.library.pids();
    const names = childrenOf(daemon).map((pid) => commandOf(pid).split('/').at(-1) ?? '');
    return { descriptors: readdirSync(`/proc/${daemon}/fd`).length, children: names.toSorted() };
  }

  private async untilLetGo(before: Quiet): Promise<void> {
    await eventually(
      'nothing waits, and no more is open than before',
      async () => {
        const waiting = leavesOf(await this.library.tree()).filter(
          ({ mailbox }) => (mailbox?.depth ?? 0) > 0,
        );
        const { descriptors, children } = await this.quiet();
        const isBack = descriptors <= before.descriptors + descriptorSlack;
        if (waiting.length === 0 && isBack && children.length <= before.children.length) return true;
        throw new Error(
          `${waiting.length} mailboxes hold something; ${descriptors} descriptors, were ${before.descriptors}; children ${children} (were ${before.children})`,
        );
      },
      20_000,
    );
  }

  /** Those of the cell under way. */
  private wireFiles(trust: WireFile['trust']): WireFile[] {
    return this.albumFiles(this.album, trust);
  }

  private albumFiles(album: number, trust: WireFile['trust']): WireFile[] {
    return Array.from({ length: songs }, (_, index) =>
      this.file(`Wire ${album}`, nameOfSong(album, index + 1), index + 1, trust),
    );
  }

  private coreFiles(): WireFile[] {
    return Array.from({ length: coreSongs }, (_, index) =>
      this.file('Core', `core/${index + 1}.flac`, index + 1, 'right'),
    );
  }

  private file(artist: string, source: string, track: number, trust: WireFile['trust']): WireFile {
    const name = `${artist}/Album [FLAC]/${String(track).padStart(2, '0')} - Title ${track}.flac`;
    return { path: name, source: this.truth(source), trust };
  }

  private truth(name: string): string {
    return path.join(this.folder, name);
  }

  private ask<T>(command: object, limitMs = 10_000): Promise<T> {
    if (this.reader === null) throw new Error('not begun');
    return this.reader.ask<T>(JSON.stringify(command), limitMs);
  }
}

/** What shows that the fault was there, and that it did no more than it may. */
function missed(
  { fault, state, kind }: Cell,
  isBare: boolean,
  { refused, longestMs }: WireReport,
  hits: number,
): string[] {
  const isKept = state === 'warm' && !isBare;
  if (isKept) return [];
  switch (fault) {
    case 'healthy':
    case 'slow':
      return refused === 0 ? [] : [`${refused} reads were refused`];
    case 'down':
    case 'gone':
      return refused > 0 ? [] : ['no read was refused, although nobody could serve it'];
    case 'truncating':
    case 'corrupting':
      return hits > 0 ? [] : [`the fault of ${kind} never hit anything`];
    case 'flapping':
      return refused > 0 || longestMs > 500 ? [] : ['flapping was not felt by any read'];
  }
}

const nameOfSong = (album: number, track: number): string => `${album}-${track}.flac`;

function keptOf(state: Cell['state']): number {
  return { cold: 0, half: songs / 2, warm: songs }[state];
}

/** So that there is something left to be read when the fault has lasted a while. */
function paceOf(faultMs: number): number {
  return Math.max(2, Math.round(faultMs / 200));
}

function song(artist: string, track: number, audioBytes: number): Buffer {
  return makeFlac(
    [
      ['ARTIST', artist],
      ['ALBUMARTIST', artist], // they lie in one folder, and would be taken for a compilation
      ['ALBUM', 'Album'],
      ['TITLE', `Title ${track}`],
      ['TRACKNUMBER', String(track)],
    ],
    { audioBytes, seed: track + 100 * (Number.parseInt(artist.slice(-2), 10) || 0) },
  );
}
