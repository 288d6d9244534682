// What the bench compares: a system shows a library at a directory. One measurement mounts it afresh and takes it away.
import type { Library } from './libraries.ts';
import type { Counters } from './results.ts';

export const peerNames = ['bindfs', 'mergerfs', 'rclone', 'musefs'] as const;
export type PeerName = (typeof peerNames)[number];
export const ownNames = ['musicfs', 'musicfs, no passthrough', 'musicfs, fuse-native'] as const;
export type OwnName = (typeof ownNames)[number];
export type SystemName = 'file system itself' | OwnName | PeerName;

export interface System {
  readonly name: SystemName;
  readonly version: string;
  /** Systems with the same layout show a library under the same names. */
  readonly layout: 'origin' | 'musicfs' | 'musefs';
  /** What has to be done once before the library can be mounted: a scan. Idempotent. */
  prepare(library: Library): Promise<void>;
  /** Mounts at an empty directory. When it rejects, nothing is left of the attempt. */
  mount(library: Library, mountPoint: string): Promise<Mount>;
}

export interface Mount {
  /** Where the library is seen. */
  readonly root: string;
  /** From the mount command to a mount in the mount table; 0 where nothing is mounted. */
  readonly mountSeconds: number;
  /** The process that serves, and all that belong to it, itself included. Empty where nothing serves. */
  processes(): Promise<{ readonly server: number; readonly all: readonly number[] } | undefined>;
  /** Returns when no work of the start goes on any more. */
  settle(): Promise<void>;
  /** Work since the mount; undefined where nobody counts. */
  counters(): Promise<Counters | undefined>;
  /** Never rejects: takes the mount and its processes away, the hard way where the polite one fails. */
  unmount(): Promise<void>;
}
