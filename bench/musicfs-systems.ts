// Our own file system in its variants: as it comes, with every read answered by the daemon, and on libfuse. They share
// what a scan found.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { killNow } from '../test/fixtures/processes.ts';
import { type CommandResult, runCommand } from './commands.ts';
import type { Library } from './libraries.ts';
import { removeMountPoint } from './mount-points.ts';
import { familyOf, haveEnded, processesWith } from './processes.ts';
import type { Counters } from './results.ts';
import type { Mount, OwnName, System } from './system.ts';

const tree = fileURLToPath(new URL('..', import.meta.url));
/** Part of the command line of each of our processes. */
const sources = path.join(tree, 'src/');
const program = path.join(tree, 'bin/musicfs');
const endLimitMs = 15_000;
const settleLimitMs = 120_000;
const settlePollMs = 200;

const statusSchema = v.looseObject({
  pid: v.number(),
  version: v.string(),
  scan: v.looseObject({ running: v.boolean(), phase: v.optional(v.string()) }),
  fuse: v.looseObject({ requests: v.record(v.string(), v.number()), statements: v.number() }),
});
type Status = v.InferOutput<typeof statusSchema>;

/** Commands of the product, with sockets, state and compiled code in places of the bench's own. */
export class Musicfs {
  private readonly runtime: string;
  private readonly signal: AbortSignal;

  constructor(scratch: string, signal: AbortSignal) {
    this.runtime = path.join(scratch, 'runtime');
    this.signal = signal;
    mkdirSync(scratch, { recursive: true });
  }

  /** Mounts `origin` with the catalog in `state`. */
  mount(origin: string, state: string, mountPoint: string, extra: readonly string[] = []): Promise<Mount> {
    return this.mountWith(['--origin', origin, ...extra], state, mountPoint);
  }

  /** The same with origins that are named otherwise, by a configuration file. */
  async mountWith(options: readonly string[], state: string, mountPoint: string): Promise<Mount> {
    const arguments_ = ['mount', mountPoint, '--state', state, ...options];
    try {
      const { seconds } = await this.run(arguments_, this.signal);
      const { pid } = await this.status(mountPoint);
      return {
        root: mountPoint,
        mountSeconds: seconds,
        processes: async () => ({ server: pid, all: this.processes() }),
        settle: () => this.settle(mountPoint),
        counters: async () => countersOf(await this.status(mountPoint)),
        unmount: () => this.takeAway(mountPoint),
      };
    } catch (error) {
      await this.takeAway(mountPoint);
      throw error;
    }
  }

  /** What a command of the product prints about a mount, as JSON. */
  async ask(words: readonly string[], mountPoint: string): Promise<unknown> {
    const { stdout } = await this.run([...words, '--mount', mountPoint, '--json'], this.signal);
    return JSON.parse(stdout);
  }

  /** The mount answers a moment before its daemon takes calls. */
  private async status(mountPoint: string): Promise<Status> {
    for (let left = 20; ; left -= 1) {
      try {
        const { stdout } = await this.run(['status', mountPoint, '--json'], this.signal);
        return v.parse(v.pipe(v.string(), v.parseJson(), statusSchema), stdout);
      } catch (error) {
        if (left === 0) throw error;
        this.signal.throwIfAborted();
        await pause(settlePollMs);
      }
    }
  }

  /** The scan at the start has ended, and what it had to tell the kernel is told. */
  private async settle(mountPoint: string): Promise<void> {
    const endMs = performance.now() + settleLimitMs;
    for (let before = ''; performance.now() < endMs; await pause(settlePollMs)) {
      const { fuse, scan } = await this.status(mountPoint);
      const now = JSON.stringify(fuse);
      if (!scan.running && scan.phase === 'done' && now === before) return;
      before = now;
    }
    throw new Error('the daemon does not come to rest');
  }

  /** Not stopped by the signal: this is what follows a stop. */
  private async takeAway(mountPoint: string): Promise<void> {
    // A keeper whose mount command was stopped may be on its way still: then there is nothing to unmount yet.
    const isServing = await this.run(['unmount', mountPoint]).then(
      () => true,
      () => false,
    );
    const family = this.processes();
    if (!isServing || !(await haveEnded(family, endLimitMs))) {
      for (const pid of family) killNow(pid, sources);
    }
    await haveEnded(family, endLimitMs);
    await removeMountPoint(mountPoint);
  }

  /** Keeper, daemon and parsers of the one mount there is: known by the place of their socket, and whose child they are. */
  private processes(): number[] {
    return [...new Set(processesWith(this.runtime).flatMap(familyOf))];
  }

  private run(arguments_: readonly string[], signal?: AbortSignal): Promise<CommandResult> {
    const env = {
      XDG_RUNTIME_DIR: this.runtime,
      NODE_COMPILE_CACHE: path.join(tree, '.cache/compiled'),
    };
    return runCommand(program, arguments_, { env, limitMs: 180_000, ...(signal ? { signal } : {}) });
  }
}

/** The variants that this machine and this version can mount, and a line for each other. */
export async function findOwn(
  musicfs: Musicfs,
  scratch: string,
  signal: AbortSignal,
): Promise<{ found: System[]; missing: string[] }> {
  const config = path.join(scratch, 'no-passthrough.toml');
  writeFileSync(config, '[fuse]\npassthrough = "never"\n');
  const variants: readonly [OwnName, readonly string[]][] = [
    ['musicfs', []],
    ['musicfs, no passthrough', ['--config', config]],
    ['musicfs, fuse-native', ['--driver', 'fuse-native']],
  ];
  const empty = path.join(scratch, 'empty');
  mkdirSync(empty);
  const prepared = new Set<string>();
  const found: System[] = [];
  const missing: string[] = [];
  for (const [name, extra] of variants) {
    const refusal = await tryOut(musicfs, empty, scratch, extra, signal);
    if (refusal === undefined) found.push(systemOf(musicfs, name, extra, scratch, prepared));
    else missing.push(`${name} is left out: ${refusal}`);
  }
  return { found, missing };
}

/** Why a variant cannot be mounted; undefined when it can. Warms the compiled code, too. */
async function tryOut(
  musicfs: Musicfs,
  empty: string,
  scratch: string,
  extra: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const mountPoint = path.join(scratch, 'try');
  mkdirSync(mountPoint);
  try {
    const mount = await musicfs.mount(empty, path.join(scratch, 'state-try'), mountPoint, extra);
    await mount.unmount();
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return (error instanceof Error ? error.message : String(error)).split('musicfs: ').at(-1);
  }
}

function systemOf(
  musicfs: Musicfs,
  name: OwnName,
  extra: readonly string[],
  scratch: string,
  prepared: Set<string>,
): System {
  const state = (library: Library) => path.join(scratch, `state-${library.name}`);
  return {
    name,
    version: versionOfTree(),
    layout: 'musicfs',
    async prepare(library) {
      if (prepared.has(library.name)) return;
      const mountPoint = path.join(scratch, 'prepare');
      mkdirSync(mountPoint);
      const mount = await musicfs.mount(library.root, state(library), mountPoint, ['--wait']);
      await mount.unmount();
      prepared.add(library.name);
    },
    mount: (library, mountPoint) => musicfs.mount(library.root, state(library), mountPoint, extra),
  };
}

function versionOfTree(): string {
  const text = readFileSync(path.join(tree, 'package.json'), 'utf8');
  return v.parse(v.pipe(v.string(), v.parseJson(), v.looseObject({ version: v.string() })), text).version;
}

/** Requests in all and by operation, statements, and whatever else the daemon counts at its kernel edge. */
function countersOf({ fuse: { requests, ...rest } }: Status): Counters {
  const total = Object.values(requests).reduce((sum, times) => sum + times, 0);
  const others = Object.entries(rest).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return { requests: total, ...requests, ...Object.fromEntries(others) };
}
