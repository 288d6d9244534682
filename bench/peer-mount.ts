// One mount of a peer: its process in a group of its own, its mount, and the end of both.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { killGroup, startGroup } from './commands.ts';
import { isMounted, removeMountPoint } from './mount-points.ts';
import { familyOf, haveEnded } from './processes.ts';
import type { Mount } from './system.ts';

const mountLimitMs = 60_000;
/** Short beside the quickest mount of a peer, which takes 3 ms. */
const pollMs = 1;
const endLimitMs = 5_000;

/** Starts a program that mounts and stays. Rejects when it ends before, or does not mount within a minute. */
export async function mountPeer(
  program: string,
  arguments_: readonly string[],
  mountPoint: string,
  signal: AbortSignal,
): Promise<Mount> {
  const startedAtMs = performance.now();
  // With a bundle in the environment rclone refuses to speak S3 at all.
  const child = startGroup(program, arguments_, { env: { AWS_CA_BUNDLE: '' } });
  const end = watch(child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  try {
    while (!isMounted(mountPoint)) {
      signal.throwIfAborted();
      if (end.ended) throw new Error(`${program} ended without a mount: ${end.said.trim().slice(-300)}`);
      if (performance.now() - startedAtMs > mountLimitMs) throw new Error(`${program} does not mount`);
      await pause(pollMs);
    }
  } catch (error) {
    await takeAway(pid, mountPoint);
    throw error;
  }
  return {
    root: mountPoint,
    mountSeconds: (performance.now() - startedAtMs) / 1000,
    processes: async () => ({ server: pid, all: familyOf(pid) }),
    settle: async () => undefined,
    counters: async () => undefined,
    unmount: () => takeAway(pid, mountPoint),
  };
}

function watch(child: ChildProcess): { ended: boolean; said: string } {
  const state = { ended: false, said: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    state.said = `${state.said}${text}`.slice(-2000);
  });
  const end = () => {
    state.ended = true;
  };
  child.once('error', end).once('exit', end);
  return state;
}

async function takeAway(pid: number, mountPoint: string): Promise<void> {
  const group = familyOf(pid);
  await removeMountPoint(mountPoint);
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    if (await haveEnded(group, endLimitMs)) break;
    killGroup(pid, name);
  }
  await haveEnded(group, endLimitMs);
  await removeMountPoint(mountPoint);
}
