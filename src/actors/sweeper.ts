// The actor that removes what musicfs made and shows no more: after a scan, but not within a while of the start, and once a
// day.
//
// Owns nothing. Loses on restart: the sweep it is at. Parked when it gives up: made files stay on the disk.
// Mailbox: the ends of scans.
import type { MadeStore } from '../made/made-store.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import { askWriter, catalogWriter } from './catalog-writer.ts';

export type SweeperMessage =
  /** A scan ended. */
  | { readonly type: 'scanned' }
  | { readonly type: 'swept'; readonly removed: number; readonly error: unknown };

export interface SweeperOptions {
  readonly store: MadeStore;
}

export const sweeper = actorRef<SweeperMessage>('sweeper');

interface State {
  readonly isRunning: boolean;
  /** On the monotonic clock. */
  readonly notBeforeMs: number;
}

export function sweeperSpec(options: SweeperOptions): ActorSpec<SweeperMessage, State> {
  return actorSpec({
    ref: sweeper,
    start: (context) => startLife(context, options),
    onGiveUp: 'park',
    critical: false,
  });
}

function startLife(
  context: ActorContext<SweeperMessage>,
  { store }: SweeperOptions,
): ActorLife<State, SweeperMessage> {
  const { clock } = context;
  return {
    initialState: () => ({ isRunning: false, notBeforeMs: clock.monotonicMs() + limits.sweepAfterMs }),
    handle(state, message) {
      switch (message.type) {
        case 'scanned':
          if (state.isRunning || clock.monotonicMs() < state.notBeforeMs) return state;
          store.sweep(isShown, context.signal).then(
            ({ removed }) => context.self.tell({ type: 'swept', removed, error: null }),
            (error: unknown) => context.self.tell({ type: 'swept', removed: 0, error }),
          );
          return { ...state, isRunning: true };
        case 'swept': {
          const { removed, error } = message;
          if (error !== null && codeOf(error) === 'internal') throw error;
          if (error !== null) context.log.warn({ event: 'made_files_not_swept', error: messageOf(error) });
          else if (removed > 0) context.log.info({ event: 'made_files_swept', removed });
          context.workDone();
          return { isRunning: false, notBeforeMs: clock.monotonicMs() + limits.sweepEveryMs };
        }
      }
    },
  };

  async function isShown(path: string): Promise<boolean> {
    const shown = await askWriter(catalogWriter, { type: 'made-referenced', paths: [path] }, context.signal);
    return shown.length > 0;
  }
}
