// What a daemon is started with: what was settled for its mount, and who holds that.
import type { MountOptions } from '../config/mount-options.ts';
import type { ServiceManager } from '../platform/service-manager.ts';
import type { ThreadSource } from '../platform/thread-source.ts';

export interface DaemonOptions extends MountOptions {
  /** Null with driver fuse-native, which mounts itself. */
  readonly session: InheritedSession | null;
  /** Who holds the session when this process dies. */
  readonly keptBy: 'keeper' | 'systemd' | 'none';
  /** The service manager that started us. */
  readonly manager: ServiceManager | null;
  /** The unit of the service manager that started us. */
  readonly unit: string | null;
  readonly uid: number;
  readonly gid: number;
  readonly version: string;
  readonly threads: DaemonThreads;
}

export interface InheritedSession {
  /** Descriptor on /dev/fuse. */
  readonly fd: number;
  /** What its lives leave to each other; see fuse/session-memory.ts. */
  readonly memoryFd: number;
  /** "major:minor" of the mount. */
  readonly device: string;
}

/** The daemon's threads. The first lives of the first two are started before anything else is loaded. */
export interface DaemonThreads {
  readonly fuse: ThreadSource;
  readonly catalogWriter: ThreadSource;
  readonly fetch: ThreadSource;
}
