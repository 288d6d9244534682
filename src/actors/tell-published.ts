// Part of the fuse handlers of all drivers: brings what the catalog wants forgotten to whoever keeps it. Rows are read
// in order and from where we are, so that no lost message loses one; they stay in the catalog until `invalidated`.
import type { Invalidation } from '../catalog/publication.ts';
import { messageOf } from '../platform/errors.ts';
import type { ActorContext } from '../supervision/actor-life.ts';
import type { Reply } from '../supervision/actor-ref.ts';
import { askWriter, catalogWriter } from './catalog-writer.ts';

export type PullMessage =
  /** The catalog has something for the kernel to forget. */
  | { readonly type: 'published' }
  /** Answered when nobody sees any more what was before the publications that the question follows. */
  | { readonly type: 'settle'; readonly reply: Reply<null> }
  | { readonly type: 'pull-ended'; readonly lastId: number; readonly error: unknown };

export interface PullState {
  /** The newest invalidation that was told. */
  readonly lastId: number;
  readonly pull: 'idle' | 'running' | 'again';
  readonly settling: readonly Reply<null>[];
}

export const nothingPulled: PullState = { lastId: 0, pull: 'idle', settling: [] };

/** After the catalog did not answer. */
const pullAgainMs = 1_000;

export interface Telling {
  /** Tells these, in order of their ids. */
  readonly tell: (rows: readonly Invalidation[]) => Promise<void>;
  /** All there were have been told, up to that id: resolves when from now on nobody sees what was before. */
  readonly toldAll: (lastId: number) => Promise<void>;
}

export function publishedTeller<M>(
  context: ActorContext<M | PullMessage>,
  { tell, toldAll }: Telling,
): <S extends PullState>(state: S, message: PullMessage) => S {
  function pull<S extends PullState>(state: S): S {
    if (state.pull !== 'idle') return { ...state, pull: 'again' };
    let { lastId } = state;
    const work = async () => {
      for (;;) {
        const request = { type: 'pending-invalidations', afterId: lastId } as const;
        const rows = await askWriter(catalogWriter, request, context.signal);
        const last = rows.at(-1);
        if (last === undefined) break;
        await tell(rows);
        lastId = last.id;
      }
      if (lastId !== state.lastId) await toldAll(lastId);
    };
    work().then(
      () => context.self.tell({ type: 'pull-ended', lastId, error: null }),
      (error: unknown) => context.self.tell({ type: 'pull-ended', lastId, error }),
    );
    return { ...state, pull: 'running' };
  }

  function pullEnded<S extends PullState>(state: S, lastId: number, error: unknown): S {
    const ended: S = { ...state, lastId, pull: 'idle' };
    if (error !== null) {
      context.log.warn({ event: 'invalidations_delayed', error: messageOf(error) });
      context.scope.timer(pullAgainMs, { type: 'published' });
      return ended;
    }
    if (state.pull === 'again') return pull(ended);
    for (const reply of state.settling) reply.resolve(null);
    return { ...ended, settling: [] };
  }

  return (state, message) => {
    switch (message.type) {
      case 'published':
        return pull(state);
      case 'settle':
        return pull({ ...state, settling: [...state.settling, message.reply] });
      case 'pull-ended':
        return pullEnded(state, message.lastId, message.error);
    }
  };
}

/** The rows up to that id need not be told again. */
export function forgetTold<M>(context: ActorContext<M>, upToId: number): void {
  void askWriter(catalogWriter, { type: 'invalidated', upToId }).catch((error: unknown) =>
    context.log.debug({ event: 'invalidations_kept', error: String(error) }),
  );
}
