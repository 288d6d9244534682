// The daemon's end of its link to whoever holds the session when it dies: a keeper (a channel) or the service manager
// (datagrams and its store of descriptors). Both are told the same; under neither everything here does nothing.
import type { DaemonNews } from '../keeper/daemon-news.ts';
import type { ErrorCode } from '../platform/errors.ts';
import type { ServiceManager } from '../platform/service-manager.ts';

export interface HolderLink {
  /** Somebody holds the session, so that the mount outlives this process. */
  readonly isKept: () => boolean;
  /** The kernel is being answered. */
  serving(hasResend: boolean): void;
  /** The first request has been answered. */
  answering(): void;
  /** The watchdog finds nothing wrong; the first time: the mount answers. `status` is a line for people. */
  alive(status: string): void;
  /** A reload begins, and ends. It says nothing about being well. */
  reloading(): void;
  reloaded(): void;
  /** The mount is going to be taken away. */
  stopping(): void;
  /** This life ends and leaves the mount to the next. `program`: the tree to start it from, if another. */
  handingOver(program: string | null): Promise<void>;
  /** It does not start, for that reason. Resolves when that is on its way. */
  refused(code: ErrorCode, message: string): Promise<void>;
}

/** `onLost` is called when the keeper dies: the daemon goes on without it. */
export function connectKeeper(onLost: () => void): HolderLink {
  const send = process.send?.bind(process);
  process.once('disconnect', onLost);
  process.channel?.unref();
  const tell = (news: DaemonNews) =>
    new Promise<void>((resolve) => {
      if (!process.connected || send === undefined) return resolve();
      send(news, undefined, undefined, () => resolve());
    });
  return {
    isKept: () => process.connected,
    serving: (hasResend) => void tell({ type: 'serving', hasResend }),
    answering: () => void tell({ type: 'answering' }),
    alive: () => void tell({ type: 'alive' }),
    reloading: () => undefined,
    reloaded: () => undefined,
    stopping: () => void tell({ type: 'stopping' }),
    handingOver: (program) => tell({ type: 'handing-over', program }),
    refused: (code, message) => tell({ type: 'refused', code, message }),
  };
}

/** Names of the session's descriptors in the store of the service manager. */
export const storedNames = { device: 'musicfs-fuse', memory: 'musicfs-session' } as const;

export function connectManager(manager: ServiceManager): HolderLink {
  let isReady = false;
  return {
    isKept: () => true,
    serving: () => undefined,
    answering: () => undefined,
    alive(status) {
      manager.notify({ ...(isReady ? {} : { READY: 1 }), WATCHDOG: 1, STATUS: status });
      isReady = true;
    },
    reloading() {
      manager.notify({ RELOADING: 1, MONOTONIC_USEC: Number(process.hrtime.bigint() / 1000n) });
    },
    reloaded() {
      if (isReady) manager.notify({ READY: 1 });
    },
    stopping() {
      manager.notify({ STOPPING: 1 });
      for (const name of Object.values(storedNames)) manager.notify({ FDSTOREREMOVE: 1, FDNAME: name });
    },
    handingOver() {
      manager.notify({ STOPPING: 1, STATUS: 'handing over' });
      return Promise.resolve();
    },
    refused(_code, message) {
      manager.notify({ STATUS: message });
      return Promise.resolve();
    },
  };
}

/** Nobody holds the session. */
export const noHolder: HolderLink = {
  isKept: () => false,
  serving: () => undefined,
  answering: () => undefined,
  alive: () => undefined,
  reloading: () => undefined,
  reloaded: () => undefined,
  stopping: () => undefined,
  handingOver: () => Promise.resolve(),
  refused: () => Promise.resolve(),
};
