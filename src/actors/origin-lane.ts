// The lane of one origin: everything that asks the origin for names goes through here, bounded and counted.
//
// Owns: a queue of at most 8 calls at a time, and the origin's health as the last calls showed it. Loses on restart:
// calls under way, whose askers are told `unavailable`; the scan counts that as a failed directory.
// Mailbox: 1,024 calls, past that `overloaded`. Parked when it gives up: the origin then counts as unhealthy.
import PQueue from 'p-queue';
import { isIgnoredName, musicExtensions } from '../library/music-files.ts';
import { extensionOf, type RealPath } from '../library/real-path.ts';
import type { LocalOrigin, NameFilter, OriginFile, OriginListing } from '../origins/local-origin.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import type { ActorRef, Reply } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import type { OriginHealth, StatusBoard } from './status-board.ts';

export type OriginLaneMessage =
  | { readonly type: 'list'; readonly directory: RealPath; readonly reply: Reply<OriginListing> }
  | { readonly type: 'stat'; readonly path: RealPath; readonly reply: Reply<OriginFile | null> }
  | { readonly type: 'probe'; readonly reply: Reply<OriginMounts> }
  | { readonly type: 'call-ended'; readonly error: unknown };

/** Mount points that belong to an origin: those that are missing, and all that are there. */
export interface OriginMounts {
  readonly missing: readonly string[];
  readonly mounted: readonly string[];
}

export interface OriginLaneOptions {
  readonly ref: ActorRef<OriginLaneMessage>;
  readonly origin: LocalOrigin;
  readonly board: StatusBoard;
  readonly failpoints: Failpoints;
}

const musicOnly: NameFilter = {
  isIgnored: isIgnoredName,
  isMusic: (path) => musicExtensions.has(extensionOf(path)),
};

export function originLaneSpec(options: OriginLaneOptions): ActorSpec<OriginLaneMessage, OriginHealth> {
  return actorSpec({
    ref: options.ref,
    start: (context) => startLife(context, options),
    budget: readPathBudget,
    onGiveUp: 'park',
  });
}

function startLife(
  context: ActorContext<OriginLaneMessage>,
  { origin, board, failpoints }: OriginLaneOptions,
): ActorLife<OriginHealth, OriginLaneMessage> {
  const queue = new PQueue({ concurrency: limits.localOriginConcurrency });
  context.scope.defer(() => queue.clear());
  const healthy: OriginHealth = {
    id: origin.id,
    kind: 'local',
    root: origin.root,
    state: 'healthy',
    lastError: null,
  };
  board.origins.set(origin.id, healthy);

  const call = <V>(reply: Reply<V>, work: () => Promise<V>): void => {
    void queue.add(async () => {
      if (context.signal.aborted) return;
      try {
        reply.resolve(await work());
        context.self.tell({ type: 'call-ended', error: null });
      } catch (error) {
        reply.reject(codeOf(error), messageOf(error));
        context.self.tell({ type: 'call-ended', error });
      }
    });
  };

  const probe = async () => {
    const known = board.originRows.find(({ name }) => name === origin.id)?.mountPoints ?? null;
    return { missing: await origin.probe(known), mounted: await origin.mountPoints() };
  };
  // The first look is the lane's own, so that status knows at once.
  call(nobody, probe);

  /** While it is away it is looked for; the first answer makes it healthy. */
  const recheck = () => {
    context.scope.timer(recheckMs, () => {
      if (board.origins.get(origin.id)?.state === 'healthy') return;
      call(nobody, probe);
      recheck();
    });
  };

  return {
    initialState: () => healthy,
    handle(state, message) {
      switch (message.type) {
        case 'list':
          call(message.reply, async () => {
            await failpoints.pass('origin.list', message.directory, context.signal);
            return origin.list(message.directory, musicOnly, context.signal);
          });
          return state;
        case 'stat':
          call(message.reply, async () => {
            await failpoints.pass('origin.stat', message.path, context.signal);
            return origin.stat(message.path);
          });
          return state;
        case 'probe':
          call(message.reply, probe);
          return state;
        case 'call-ended': {
          context.workDone();
          const next = healthAfter(state, message.error);
          if (next !== state) board.origins.set(origin.id, next);
          if (next.state === 'unhealthy' && state.state === 'healthy') recheck();
          return next;
        }
      }
    },
  };
}

const recheckMs = 30_000;
const nobody = { resolve: () => undefined, reject: () => undefined };

/** A local origin is believed at its first word: one failure that is not about a single name makes it unhealthy. */
function healthAfter(health: OriginHealth, error: unknown): OriginHealth {
  if (error === null)
    return health.state === 'healthy' ? health : { ...health, state: 'healthy', lastError: null };
  if (codeOf(error) !== 'origin_unavailable') return health;
  return { ...health, state: 'unhealthy', lastError: messageOf(error) };
}
