// One run: a library, eight checked readers, and faults from a seed, one after the other. Two phases: safety, while
// faults go on, and liveness, after the last one, when everything must be well within a minute. Answers figures and the
// invariants that were broken; leaves nothing mounted, however it ends.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CheckedReaders } from '../../fixtures/checked-readers.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { writeFlacLibrary } from '../../fixtures/flac-library.ts';
import { Library } from '../../fixtures/mounted.ts';
import { type Random, randomOf } from '../../fixtures/mutations.ts';
import { brokenInvariants, isWrong, type QuietFacts } from './invariants.ts';
import { logFacts } from './log-facts.ts';
import { type PauseFigures, pauseFigures, pauseOf } from './pauses.ts';
import { checkCatalog, deviceOf, memoryMb, quietFacts } from './quiet-facts.ts';
import { ScanLoad } from './scan-load.ts';
import { FreshFiles, type Scene, untilQuiet } from './scene.ts';
import { type Victim, type VictimKind, victimsOf } from './victims.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly victims: readonly VictimKind[];
  /** Faults in all, or each victim that crashes once, in a random order; the run also ends at `limitMs`. */
  readonly kills: number | 'each crash once';
  readonly limitMs: number;
  /** The kernel may read still files itself; otherwise every read reaches the daemon. */
  readonly passthrough: 'auto' | 'never';
  /** A scan of many files runs all the time. */
  readonly isScanning: boolean;
  /** Errnos that readers may meet, as a fault is meant to be seen. */
  readonly allowedErrnos?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onFault?: (count: number, what: string) => void;
}

export interface ChaosResult {
  readonly seed: number;
  readonly victims: readonly VictimKind[];
  readonly faults: number;
  readonly kills: number;
  readonly checks: number;
  readonly failedReads: number;
  readonly wrongBytes: number;
  readonly lostMounts: number;
  readonly pauses: readonly PauseFigures[];
  readonly parses: { readonly seen: number; readonly allowed: number };
  readonly mostMb: { readonly daemon: number; readonly keeper: number };
  readonly tookMs: number;
  readonly broken: readonly string[];
}

const stableFiles = { files: 120, albums: 12 };
const freshFiles = 200;
/** Enough that no life of the daemon gets to the end of its scan at once. */
const freshFilesOfScan = 6_000;
const livenessMs = 60_000;
/** After which all gauges are to be back at zero. */
const letGoMs = 10_000;
/** Victims of one kind are hit at least so far from each other; the rest is random. */
const leastGapMs = 1_000;
const randomGapMs = 1_000;
/** Short lives count as recovered: faults come faster than any budget bears in earnest. */
const restartResetMs = 200;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const startedAtMs = performance.now();
  const library = new Library((root) => writeFlacLibrary(root, stableFiles));
  let readers: CheckedReaders | null = null;
  try {
    const fresh = new FreshFiles(library.origin, options.isScanning ? freshFilesOfScan : freshFiles);
    const unchanging = readdirSync(library.origin);
    await library.mount({
      env: { MUSICFS_TEST_RESTART_RESET_MS: String(restartResetMs) },
      args: [
        ...['--config', configFile(library, options.passthrough)],
        ...(options.isScanning ? ['--failpoint', 'parser.file=delay(1)'] : []),
      ],
    });
    if (!options.isScanning) {
      fresh.write();
      await library.rescan();
    }
    await untilQuiet({ library }, livenessMs);
    const before = await quietFacts(library, unchanging);
    readers = await CheckedReaders.over(library, stableFiles.files, {
      roundMs: livenessMs,
      lifeMs: options.limitMs + 5 * livenessMs,
    });
    const scene: Scene = {
      library,
      readers,
      random: randomOf(options.seed),
      faults: [],
      expectedRestarts: new Map(),
      fresh,
      broken: [],
      scan: { parsedBefore: 0 },
      signal: options.signal ?? new AbortController().signal,
    };
    const load = options.isScanning ? new ScanLoad(scene) : null;
    const safety = new Safety(scene, options, load, before.device);
    await safety.run();

    // Liveness: whatever was done, from here on everything must become well.
    await library.clearFailpoints();
    await load?.finish(livenessMs);
    await readers.comeRound();
    const { checks, failed } = readers.counts;
    await readers.stop();
    await untilQuiet(scene, livenessMs);
    const expectedFiles = before.filesListed + (options.isScanning ? fresh.count : 0);
    const kills = scene.faults.filter(({ kind }) => kind === 'daemon').length;
    const mayStayOpen = kills + (scene.expectedRestarts.get('fuse-handler') ?? 0);
    const after = await factsOnceLetGo(library, unchanging, mayStayOpen);
    const parses = {
      seen: scene.scan.parsedBefore + (await library.status()).scan.parsed,
      allowed: load === null ? Number.POSITIVE_INFINITY : load.allowedParses(stableFiles.files),
    };
    const pauses = pauseFigures(scene.faults, readers.stood);
    const broken = brokenInvariants({
      before: { ...before, filesListed: expectedFiles },
      after,
      errors: readers.errors,
      failedChecks: failed,
      longestStepMs: readers.longestMs,
      longestPauseMs: Math.max(0, ...scene.faults.map((fault) => pauseOf(fault, readers?.stood ?? []))),
      mostMb: safety.mostMb,
      log: logFacts(library.log()),
      expectedRestarts: scene.expectedRestarts,
      kills,
      mayStayOpen,
      broken: scene.broken,
      parses,
      allowedErrnos: options.allowedErrnos ?? [],
    });
    return {
      seed: options.seed,
      victims: options.victims,
      faults: scene.faults.length,
      kills,
      checks,
      failedReads: failed,
      wrongBytes: readers.errors.filter(isWrong).length,
      lostMounts: safety.lostMounts,
      pauses,
      parses: { ...parses, allowed: Number.isFinite(parses.allowed) ? parses.allowed : 0 },
      mostMb: safety.mostMb,
      tookMs: Math.round(performance.now() - startedAtMs),
      broken,
    };
  } finally {
    await readers?.stop();
    await library.remove();
  }
}

/** How things are at the end: a moment is given to what was closed a moment ago. */
async function factsOnceLetGo(
  library: Library,
  unchanging: readonly string[],
  mayStayOpen: number,
): Promise<QuietFacts> {
  let facts = await quietFacts(library, unchanging);
  // A new life of the daemon also compares what it knows with the disk after a few seconds.
  const isLetGo = async () => {
    facts = await quietFacts(library, unchanging);
    return facts.openHandles <= mayStayOpen && !facts.isScanning;
  };
  await eventually('nothing is open', isLetGo, letGoMs).catch(() => undefined); // the invariant tells
  return facts;
}

function configFile(library: Library, passthrough: string): string {
  const file = path.join(library.folder, 'chaos.toml');
  writeFileSync(file, `[fuse]\npassthrough = "${passthrough}"\n`);
  return file;
}

/** The first phase: faults until there were enough, time is over, or something is broken beyond going on. */
class Safety {
  lostMounts = 0;
  readonly mostMb = { daemon: 0, keeper: 0 };
  private readonly scene: Scene;
  private readonly options: ChaosOptions;
  private readonly load: ScanLoad | null;
  private readonly device: string | undefined;

  constructor(scene: Scene, options: ChaosOptions, load: ScanLoad | null, device: string | undefined) {
    this.scene = scene;
    this.options = options;
    this.load = load;
    this.device = device;
  }

  async run(): Promise<void> {
    const { scene, options } = this;
    const endAtMs = performance.now() + options.limitMs;
    const victims = await victimsOf(scene, options.victims);
    await this.load?.start();
    for (const victim of schedule(victims, options, scene.random)) {
      await pause(leastGapMs + scene.random(randomGapMs));
      if (performance.now() > endAtMs || scene.signal.aborted || this.lostMounts > 0) return;
      await this.hit(victim);
    }
  }

  private async hit(victim: Victim): Promise<void> {
    const { scene } = this;
    try {
      const atMs = await victim.strike(scene);
      const kind = victim.isHang ? `${victim.kind} (hang)` : victim.kind;
      scene.faults.push({ kind, name: victim.name, atMs, wellAtMs: Date.now() });
    } catch (error) {
      // Not well in time: the run ends here, as what follows would tell of this only.
      scene.broken.push(`${victim.name}: ${String(error)}`);
      this.lostMounts += deviceOf(scene.library) === this.device ? 0 : 1;
      throw new Error(scene.broken.join('\n'), { cause: error });
    }
    if (deviceOf(scene.library) !== this.device) {
      this.lostMounts += 1;
      scene.broken.push(`after ${victim.name} the mount is ${deviceOf(scene.library) ?? 'gone'}`);
    }
    const { daemon, keeper } = await scene.library.pids();
    this.mostMb.daemon = Math.max(this.mostMb.daemon, memoryMb(daemon));
    this.mostMb.keeper = Math.max(this.mostMb.keeper, memoryMb(keeper));
    if (this.load !== null) {
      const { integrity } = await checkCatalog(scene.library);
      if (integrity !== 'ok') scene.broken.push(`after ${victim.name} the catalog is damaged: ${integrity}`);
      await this.load.goOn();
    }
    this.options.onFault?.(scene.faults.length, victim.name);
  }
}

/** Which victims are hit in which order. */
function* schedule(victims: readonly Victim[], { kills }: ChaosOptions, random: Random): Generator<Victim> {
  if (kills === 'each crash once') {
    const left = victims.filter(({ isHang }) => !isHang);
    while (left.length > 0) yield* left.splice(random(left.length), 1);
    return;
  }
  const weighted = victims.flatMap((victim) => Array.from({ length: victim.weight }, () => victim));
  for (let count = 0; count < kills; count += 1) {
    const victim = weighted[random(weighted.length)];
    if (victim === undefined) return;
    yield victim;
  }
}
