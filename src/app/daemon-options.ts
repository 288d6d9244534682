// What a daemon is started with. Given by the keeper on the command line of musicfsd; parsed once in main.ts.
import type { FuseSettings } from '../platform/fuse-settings.ts';
import type { ThreadSource } from '../platform/thread-source.ts';

export interface OriginOption {
  readonly id: string;
  /** Absolute path of a local directory. */
  readonly root: string;
}

export interface DaemonOptions extends FuseSettings {
  readonly mountPoint: string;
  readonly stateDirectory: string;
  readonly socketPath: string;
  /** What the keeper mounted; null with driver fuse-native, which mounts itself. */
  readonly session: InheritedSession | null;
  readonly allowOther: boolean;
  readonly origins: readonly OriginOption[];
  readonly uid: number;
  readonly gid: number;
  readonly enableFailpoints: boolean;
  readonly version: string;
  readonly threads: DaemonThreads;
}

export interface InheritedSession {
  /** Descriptor on /dev/fuse. */
  readonly fd: number;
  /** "major:minor" of the mount. */
  readonly device: string;
}

/** The daemon's two threads. Their first lives are started before anything else is loaded. */
export interface DaemonThreads {
  readonly fuse: ThreadSource;
  readonly catalogWriter: ThreadSource;
}
