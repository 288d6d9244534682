// Who is hit, and how. A strike injects one fault and returns when what it hit is seen to be well again; it throws when
// that does not happen in time. The actors come from the running daemon's own tree: one that is added is a victim too.
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../fixtures/eventually.ts';
import { childrenOf, commandOf, isAlive, killNow } from '../../fixtures/processes.ts';
import { actorNamed, leavesOf, type Scene } from './scene.ts';

export const victimKinds = ['daemon', 'fuse-thread', 'actors', 'parsers'] as const;
export type VictimKind = (typeof victimKinds)[number];

export interface Victim {
  readonly kind: VictimKind;
  readonly name: string;
  /** How often it is chosen: slow strikes less often. */
  readonly weight: number;
  /** Crash or hang, for the figures: a hang must first be found out. */
  readonly isHang: boolean;
  /** Answers when the fault happened, ms since 1970. */
  strike(scene: Scene): Promise<number>;
}

/** Found within two missed heartbeats after one was sent; then the old life is closed or left behind. */
const crashWellMs = 15_000;
const hangWellMs = 40_000;
const daemonWellMs = 30_000;

/** All victims of these kinds in the scene. */
export async function victimsOf(scene: Scene, kinds: readonly VictimKind[]): Promise<Victim[]> {
  const actors = leavesOf(await scene.library.tree()).map(({ id }) => id);
  const all: Victim[] = [
    { kind: 'daemon', name: 'daemon: SIGKILL', weight: 10, isHang: false, strike: killDaemon },
    fuseThread('fuse.thread.loop=crash;count=1', 4, false),
    fuseThread('fuse.request.decoded=crash;count=1', 4, false),
    fuseThread('fuse.thread.loop=hang;count=1', 1, true),
    ...actors.map((id) => actorVictim(id, 'crash')),
    ...actors.map((id) => actorVictim(id, 'hang')),
    { kind: 'parsers', name: 'parser: SIGKILL', weight: 4, isHang: false, strike: killParser },
  ];
  return all.filter(({ kind }) => kinds.includes(kind));
}

function fuseThread(setting: string, weight: number, isHang: boolean): Victim {
  return {
    kind: 'fuse-thread',
    name: setting,
    weight,
    isHang,
    strike: (scene) => restart(scene, 'fuse-handler', setting, isHang),
  };
}

function actorVictim(id: string, how: 'crash' | 'hang'): Victim {
  const isHang = how === 'hang';
  return {
    kind: 'actors',
    name: `${id}: ${how}`,
    weight: isHang ? 1 : 8,
    isHang,
    strike: (scene) => restart(scene, id, `actor.${id}.handle=${how};count=1`, isHang),
  };
}

/** Arms a failpoint that ends one life of an actor, gives it something to do, and waits for the next life. */
async function restart(scene: Scene, id: string, setting: string, isHang: boolean): Promise<number> {
  const { library } = scene;
  const before = await actorNamed(library, id);
  const armedAtMs = Date.now();
  scene.expectedRestarts.set(id, (scene.expectedRestarts.get(id) ?? 0) + 1);
  await library.failpoint(setting);
  // The answer may die with the actor that was asked.
  await library.startScan().catch(() => undefined);
  const after = await eventually(
    `${id} is started again after ${setting}`,
    async () => {
      const now = await actorNamed(library, id);
      return now.state === 'running' && now.incarnation > before.incarnation && now;
    },
    isHang ? hangWellMs : crashWellMs,
  );
  return isHang ? armedAtMs : (after.lastError?.atMs ?? armedAtMs);
}

async function killDaemon(scene: Scene): Promise<number> {
  const { library } = scene;
  const { daemon, keeper } = await library.pids();
  // As late as can be: what is parsed between this look and the kill is not counted.
  scene.scan.parsedBefore += (await library.status()).scan.parsed;
  const atMs = Date.now();
  killNow(daemon, 'main.ts');
  await eventually(
    'another daemon serves the mount',
    async () => {
      const { pid } = await library.status();
      return pid !== daemon;
    },
    daemonWellMs,
  );
  const now = await library.pids();
  if (now.keeper !== keeper) scene.broken.push(`the keeper was ${keeper} and is ${now.keeper}`);
  return atMs;
}

async function killParser(scene: Scene): Promise<number> {
  const { library } = scene;
  const { daemon } = await library.pids();
  await library.failpoint('parser.file=delay(10)');
  scene.fresh.touch();
  await library.startScan();
  const parser = await eventually('a parser is at work', async () => {
    if (!(await library.status()).scan.running) await library.startScan();
    return childrenOf(daemon).find((child) => isAlive(child) && commandOf(child).includes('parser-process'));
  });
  await pause(scene.random(100));
  const atMs = Date.now();
  killNow(parser, 'parser-process');
  await library.failpoint('parser.file=off');
  await eventually('the parser is gone', () => !isAlive(parser));
  await eventually('the scan has ended', async () => !(await library.status()).scan.running, 30_000);
  return atMs;
}
