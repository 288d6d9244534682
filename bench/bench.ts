// What a workload works with: the systems under comparison, fresh mounts, samples, and the order of a round.
import { mkdirSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { type CommandOptions, type CommandResult, runCommand } from './commands.ts';
import type { FigureId } from './figures.ts';
import type { Libraries, LibraryName } from './libraries.ts';
import { dropCaches } from './measure.ts';
import { removeMountPoint } from './mount-points.ts';
import type { Musicfs } from './musicfs-systems.ts';
import type { RemoteBench } from './remote/remote-bench.ts';
import type { Counters, Samples } from './results.ts';
import type { Sizes } from './sizes.ts';
import type { Mount, System } from './system.ts';

export interface Workload {
  readonly name: string;
  readonly libraries: readonly LibraryName[];
  /** True for reads: they are compared when the kernel may read the files itself. */
  readonly needsAgedFiles: boolean;
  readonly figures: readonly FigureId[];
  run(bench: Bench): Promise<void>;
}

export interface BenchParts {
  readonly folder: string;
  readonly sizes: Sizes;
  readonly systems: readonly System[];
  readonly musicfs: Musicfs;
  readonly libraries: Libraries;
  readonly samples: Samples;
  /** The servers of the remote workloads, started when they are first asked for. */
  readonly remote: () => Promise<RemoteBench>;
  readonly signal: AbortSignal;
}

export class Bench {
  readonly parts: BenchParts;
  /** One line for each system that failed in a workload. */
  readonly failures: string[] = [];
  private readonly listings = new Map<string, readonly string[]>();

  constructor(parts: BenchParts) {
    this.parts = parts;
  }

  /**
   * Each system in each round, so that what else happens on the machine meets all alike; each round begins with another
   * one. `work` has a fresh mount that has come to rest, and the paths of all files below its root, in byte order. A
   * system that fails is left out of the further rounds, and the others go on.
   */
  async eachRound(
    name: LibraryName,
    work: (mount: Mount, system: System, names: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const { systems, sizes, signal } = this.parts;
    const failed = new Set<System>();
    for (let round = 0; round < sizes.rounds; round += 1) {
      for (const system of [...systems.slice(round), ...systems.slice(0, round)]) {
        if (failed.has(system)) continue;
        try {
          const names = await this.listing(system, name);
          await this.mounted(system, name, (mount) => work(mount, system, names));
        } catch (error) {
          signal.throwIfAborted();
          failed.add(system);
          this.failures.push(`${system.name} failed: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
  }

  record(figure: FigureId, system: System, value: number, counters?: Counters): void {
    this.parts.samples.add(figure, system.name, value, counters);
  }

  /** Measures `work` and what it made the daemon do; cold: after all caches are dropped. */
  async counted(
    mount: Mount,
    state: 'cold' | 'warm',
    work: () => Promise<number>,
  ): Promise<readonly [value: number, counters: Counters | undefined]> {
    const before = await mount.counters();
    if (state === 'cold') await dropCaches();
    const value = await work();
    return [value, between(before, await mount.counters())];
  }

  /** A measured command: output to nowhere, stopped with the bench. */
  command(
    program: string,
    arguments_: readonly string[],
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return runCommand(program, arguments_, { output: 'ignore', ...options, signal: this.parts.signal });
  }

  /** An empty directory for a mount; `work` mounts there, and whatever it leaves is taken away. */
  async withMountPoint<T>(work: (mountPoint: string) => Promise<T>): Promise<T> {
    const below = path.join(this.parts.folder, 'mounts');
    mkdirSync(below, { recursive: true });
    const mountPoint = mkdtempSync(path.join(below, 'mount-'));
    try {
      return await work(mountPoint);
    } finally {
      await removeMountPoint(mountPoint);
    }
  }

  /** Has a mount of its own, and is made once for each layout. */
  private async listing(system: System, name: LibraryName): Promise<readonly string[]> {
    const key = `${system.layout} ${name}`;
    const known = this.listings.get(key);
    if (known !== undefined) return known;
    const library = this.parts.libraries.get(name);
    await system.prepare(library);
    const names = await this.mounted(system, name, async ({ root }) => {
      const { stdout } = await this.command('find', [root, '-type', 'f', '-printf', '%P\n'], {
        output: 'text',
      });
      return stdout.trimEnd().split('\n').sort();
    });
    if (names.length !== library.files) {
      throw new Error(`${system.name} shows ${names.length} files of ${library.files} in ${library.root}`);
    }
    this.listings.set(key, names);
    return names;
  }

  private mounted<T>(system: System, name: LibraryName, work: (mount: Mount) => Promise<T>): Promise<T> {
    return this.withMountPoint(async (mountPoint) => {
      this.parts.signal.throwIfAborted();
      const mount = await system.mount(this.parts.libraries.get(name), mountPoint);
      try {
        if (this.parts.sizes.waitsForScan) await mount.settle();
        return await work(mount);
      } finally {
        await mount.unmount();
      }
    });
  }
}

/** What was counted between two moments; undefined where nobody counts. Names that stayed the same are left out. */
function between(before: Counters | undefined, after: Counters | undefined): Counters | undefined {
  if (before === undefined || after === undefined) return undefined;
  const changes = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(changes.filter(([name, count]) => count !== 0 || name === 'requests'));
}
