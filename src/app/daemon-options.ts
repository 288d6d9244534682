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
  /** Descriptor of the session on /dev/fuse, inherited. */
  readonly sessionFd: number;
  /** "major:minor" of the mount. */
  readonly device: string;
  readonly origins: readonly OriginOption[];
  readonly uid: number;
  readonly gid: number;
  readonly enableFailpoints: boolean;
  readonly version: string;
  readonly threads: DaemonThreads;
}

/** The daemon's two threads. Their first lives are started before anything else is loaded. */
export interface DaemonThreads {
  readonly fuse: ThreadSource;
  readonly catalogWriter: ThreadSource;
}
