// Whether the daemon may say that it is alive: facts → what is wrong. Pure.
//
// Only what a new life would mend is looked at. Origins, disks and whatever else is parked never count: a restart would
// not help them.
import type { ActorSnapshot } from '../supervision/actor-snapshot.ts';

export interface Vitals {
  /** What was wrong when the mount was asked through the mount, from outside; null: nothing. */
  readonly probe: string | null;
  /** The longest the main thread was busy at a stretch since the last look, ms. */
  readonly loopDelayMs: number;
  /** Since the thread that answers the kernel gave its last sign of life, ms. */
  readonly serverSilentMs: number;
  /** The supervision tree. */
  readonly tree: ActorSnapshot | null;
}

const mostLoopDelayMs = 2_000;
const mostServerSilenceMs = 5_000;
const mostActorSilenceMs = 10_000;

/** What is wrong, one sentence a thing; empty: all is well. */
export function verdictOf({ probe, loopDelayMs, serverSilentMs, tree }: Vitals): string[] {
  return [
    ...(probe === null ? [] : [`the mount does not answer: ${probe}`]),
    ...(loopDelayMs < mostLoopDelayMs ? [] : [`the main thread was busy for ${Math.round(loopDelayMs)} ms`]),
    ...(serverSilentMs < mostServerSilenceMs
      ? []
      : [`what answers the kernel is silent for ${Math.round(serverSilentMs)} ms`]),
    ...(tree === null ? [] : silentActors(tree)),
  ];
}

/** Critical ones that run and do not answer. One between two lives is the business of its supervisor. */
function silentActors(node: ActorSnapshot): string[] {
  const { critical, state, heartbeatAgeMs, id, children } = node;
  const isSilent = critical && state === 'running' && (heartbeatAgeMs ?? 0) > mostActorSilenceMs;
  return [
    ...(isSilent ? [`${id} is silent for ${Math.round(heartbeatAgeMs ?? 0)} ms`] : []),
    ...children.flatMap(silentActors),
  ];
}
