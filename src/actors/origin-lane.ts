// The lane of one origin: everything that asks the origin for names goes through here, bounded and counted.
//
// Owns: a queue of at most 8 calls at a time (for an origin over a network, what its gate lets through). Loses on restart:
// calls under way, whose askers are told `unavailable`; the scan counts that as a failed directory.
// Mailbox: 1,024 calls, past that `overloaded`. Parked when it gives up: the origin then counts as unhealthy.
import PQueue from 'p-queue';
import type { RealPath } from '../library/real-path.ts';
import type { OriginFile, OriginListing } from '../origins/local-origin.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import type { ActorRef, Reply } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec, readPathBudget } from '../supervision/child-spec.ts';
import type { HeldRange } from '../tags/bounded-reader.ts';
import type { OriginCaller, OriginMounts } from './origin-caller.ts';
import type { StatusBoard } from './status-board.ts';

export type OriginLaneMessage =
  | { readonly type: 'list'; readonly directory: RealPath; readonly reply: Reply<OriginListing> }
  | { readonly type: 'stat'; readonly path: RealPath; readonly reply: Reply<OriginFile | null> }
  /** The first bytes of a small file of the scan's own, such as one with rules. */
  | {
      readonly type: 'read';
      readonly file: OriginFile;
      readonly mostBytes: number;
      readonly reply: Reply<Uint8Array>;
    }
  | { readonly type: 'follow'; readonly link: RealPath; readonly reply: Reply<RealPath | null> }
  | { readonly type: 'probe'; readonly reply: Reply<OriginMounts> }
  /** See OriginCaller.copy. */
  | {
      readonly type: 'copy';
      readonly file: OriginFile;
      readonly ranges: readonly HeldRange[];
      readonly target: string;
      readonly reply: Reply<null>;
    }
  | { readonly type: 'call-ended' };

export interface OriginLaneOptions {
  readonly ref: ActorRef<OriginLaneMessage>;
  readonly originId: string;
  readonly caller: OriginCaller;
  readonly board: StatusBoard;
  readonly failpoints: Failpoints;
  /** How a call ended: what it shows of the origin. */
  readonly onEvidence: (originId: string, error: unknown) => void;
}

export function originLaneSpec(options: OriginLaneOptions): ActorSpec<OriginLaneMessage, null> {
  return actorSpec({
    ref: options.ref,
    start: (context) => startLife(context, options),
    budget: readPathBudget,
    onGiveUp: 'park',
  });
}

function startLife(
  context: ActorContext<OriginLaneMessage>,
  { originId, caller, board, failpoints, onEvidence }: OriginLaneOptions,
): ActorLife<null, OriginLaneMessage> {
  const isLocal = caller.copy === null;
  const queue = new PQueue({
    concurrency: isLocal ? limits.localOriginConcurrency : limits.remoteOriginConcurrency,
  });
  context.scope.defer(() => queue.clear());

  const call = <V>(reply: Reply<V>, work: () => Promise<V>): void => {
    void queue.add(() => answered(reply, work));
  };

  async function answered<V>(reply: Reply<V>, work: () => Promise<V>): Promise<void> {
    if (context.signal.aborted) return;
    try {
      reply.resolve(await work());
      onEvidence(originId, null);
    } catch (error) {
      reply.reject(codeOf(error), messageOf(error));
      onEvidence(originId, error);
    }
    context.self.tell({ type: 'call-ended' });
  }

  return {
    initialState: () => null,
    handle(state, message) {
      switch (message.type) {
        case 'list':
          call(message.reply, async () => {
            await failpoints.pass('origin.list', message.directory, context.signal);
            return caller.list(message.directory, context.signal);
          });
          return state;
        case 'stat':
          call(message.reply, async () => {
            await failpoints.pass('origin.stat', message.path, context.signal);
            return caller.stat(message.path, context.signal);
          });
          return state;
        case 'read':
          call(message.reply, () => caller.read(message.file, message.mostBytes, context.signal));
          return state;
        case 'follow':
          call(message.reply, () => caller.followLink(message.link, context.signal));
          return state;
        case 'copy':
          call(message.reply, async () => {
            if (caller.copy === null) throw new MusicfsError('internal', 'its files are read where they lie');
            await caller.copy(message.file, message.ranges, message.target, context.signal);
            return null;
          });
          return state;
        case 'probe': {
          const known = board.originRows.find(({ name }) => name === originId)?.mountPoints ?? null;
          // Past the queue: what waits in it may be what hangs.
          void answered(message.reply, async () => {
            await failpoints.pass('origin.probe', originId, context.signal);
            return caller.probe(known, context.signal);
          });
          return state;
        }
        case 'call-ended':
          context.workDone();
          return state;
      }
    },
  };
}
