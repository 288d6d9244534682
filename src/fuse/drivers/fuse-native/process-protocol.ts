// Between the daemon and the process of driver fuse-native: messages over Node's channel, in order. The channel's end is
// a message too: the daemon is gone, and the process ends.
import type { Ownership } from '../../../platform/fuse-settings.ts';
export interface NativeData {
  readonly mountPoint: string;
  readonly catalogPath: string;
  readonly stateDirectory: string;
  /** So long a name that went still leads to its file. */
  readonly formerNameMs: number;
  readonly caseInsensitive: boolean;
  readonly allowOther: boolean;
  readonly ownership: Ownership;
  readonly failpoints: boolean;
  /** "major:minor" of a dead mount of ours at that place, to be taken away just before mounting. */
  readonly replaces: string | null;
}

export type NativeCommand =
  /** The first message. */
  | { readonly type: 'begin'; readonly data: NativeData }
  /** What the special files show, by name. */
  | { readonly type: 'special-texts'; readonly texts: Readonly<Record<string, string>> }
  | { readonly type: 'stop' }
  | { readonly type: 'set-failpoint'; readonly setting: string }
  | { readonly type: 'clear-failpoints' };

export type NativeEvent =
  /** The mount answers; `device` is its "major:minor". */
  | { readonly type: 'serving'; readonly device: string }
  /** It will not; one line. The process ends. */
  | { readonly type: 'refused'; readonly message: string }
  /** Once a second: the sign of life, with the counters as FuseCounters keeps them. */
  | { readonly type: 'beat'; readonly counters: readonly number[] }
  /** Somebody opened `/.musicfs/refresh`. */
  | { readonly type: 'refresh-asked' }
  /** The file system was unmounted by somebody. The process ends. */
  | { readonly type: 'session-ended' };
