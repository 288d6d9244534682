// How far ahead of a reader a file is fetched. Pure.
//
// The first reads fetch only what they need. From the second that follows another on, a window opens in front of the
// reader, doubling with each half of it that was read, up to 16 MiB; a seek closes it. The kernel reads ahead itself and
// sends such requests a little out of order, so "follows" leaves room for that.
import { limits } from '../platform/limits.ts';

export interface ReadAhead {
  /** Where the reader has come to; -1 before its first read. */
  readonly position: number;
  /** Reads in a row that followed each other. */
  readonly sequential: number;
  readonly windowBytes: number;
  /** Where the window grows next. */
  readonly growsAt: number;
}

export const noReadAhead: ReadAhead = { position: -1, sequential: 0, windowBytes: 0, growsAt: 0 };

const followsFrom = 2;
/** What the kernel may have in flight for one reader, either way. */
const slackBytes = limits.readRequestBytes;

/** A read from `offset` to before `end`. */
export function afterRead(state: ReadAhead, offset: number, end: number): ReadAhead {
  const follows =
    state.position >= 0 &&
    offset >= state.position - slackBytes &&
    offset <= state.position + Math.max(slackBytes, state.windowBytes);
  if (!follows) return { position: end, sequential: 1, windowBytes: 0, growsAt: 0 };
  if (end <= state.position) return state;
  const sequential = state.sequential + 1;
  const next = { ...state, position: end, sequential };
  if (sequential < followsFrom || (state.windowBytes > 0 && end < state.growsAt)) return next;
  const windowBytes = Math.min(
    Math.max(limits.firstRangeBytes, state.windowBytes * 2),
    limits.readAheadBytes,
  );
  return { ...next, windowBytes, growsAt: end + windowBytes / 2 };
}

/** To where the file should be under way. */
export function wantedTo(state: ReadAhead, sizeBytes: number): number {
  return state.windowBytes === 0 ? 0 : Math.min(state.position + state.windowBytes, sizeBytes);
}
