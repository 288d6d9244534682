// What differs between the drivers when the daemon is put together: what a session is, and which fuse handler serves it.
// Called by app/daemon.ts only.

import path from 'node:path';
import type { FuseHandlerOptions } from '../actors/fuse-handler.ts';
import type { NativeHandlerOptions } from '../actors/native-handler.ts';
import { NativeProcess } from '../fuse/drivers/fuse-native/native-process.ts';
import { mayPassThrough } from '../platform/capabilities.ts';
import type { Ownership } from '../platform/fuse-settings.ts';
import { createEventfd } from '../platform/native.ts';
import { isCached, isFetched } from '../platform/origin-settings.ts';
import type { DaemonOptions, InheritedSession } from './daemon-options.ts';
import type { TreeOptions } from './supervision-tree.ts';

/** The mount as the daemon holds it, whatever becomes of its actors: a descriptor, or a process. */
export type Session = InheritedSession | NativeProcess;

export function sessionFor(options: DaemonOptions): Session {
  return (
    options.session ??
    new NativeProcess({
      mountPoint: options.mountPoint,
      catalogPath: catalogOf(options),
      stateDirectory: options.stateDirectory,
      formerNameMs: options.library.pathGraceSeconds * 1000,
      caseInsensitive: options.library.caseInsensitive,
      allowOther: options.allowOther,
      ownership: ownershipOf(options),
      failpoints: options.enableFailpoints,
    })
  );
}

/** The part of the tree that depends on the driver. */
export function fuseHandlerFor(
  session: Session,
  options: DaemonOptions,
  isAdopted: boolean,
  common: Omit<NativeHandlerOptions, 'process'> &
    Pick<FuseHandlerOptions, 'originRoots' | 'onAnswering' | 'beforeNotification' | 'connectFetcher'>,
): TreeOptions['fuseHandler'] {
  if (session instanceof NativeProcess) {
    return { driver: 'fuse-native', options: { ...common, process: session } };
  }
  return {
    driver: 'kernel',
    options: {
      ...common,
      threads: options.threads.fuse,
      data: {
        deviceFd: session.fd,
        wakeFd: createEventfd(),
        memoryFd: session.memoryFd,
        passthrough: options.passthrough === 'auto' && mayPassThrough(),
        catalogPath: catalogOf(options),
        stateDirectory: options.stateDirectory,
        formerNameMs: options.library.pathGraceSeconds * 1000,
        caseInsensitive: options.library.caseInsensitive,
        cacheDirectory: options.cache.enabled && options.origins.some(isCached) ? cacheOf(options) : null,
        fetched: options.origins.filter(isFetched).map(({ id }) => id),
        ownership: ownershipOf(options),
        failpoints: options.enableFailpoints,
      },
      isAdopted,
    },
  };
}

export function cacheOf({ stateDirectory }: DaemonOptions): string {
  return path.join(stateDirectory, 'cache');
}

export function catalogOf({ stateDirectory }: DaemonOptions): string {
  return path.join(stateDirectory, 'catalog.db');
}

function ownershipOf({ ownership, uid, gid }: DaemonOptions): Ownership {
  return { ...ownership, uid: ownership.uid ?? uid, gid: ownership.gid ?? gid };
}
