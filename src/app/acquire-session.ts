// The mount of a daemon under a service manager: the session that the manager kept from an earlier life, or a new one,
// which is given into its keeping. Called at the start, before anything of the daemon runs.
//
// What was kept is gone on with as it was recorded: neither the configuration nor a disk is asked, and no path of the
// mount point is named, as whoever serves a mount and looks at it waits for himself.
import { closeSync } from 'node:fs';
import type { GivenOptions, MountOptions } from '../config/mount-options.ts';
import { recordedOptions } from '../config/recorded-options.ts';
import { settleOptions } from '../config/settle-options.ts';
import { mountNewSession } from '../fuse/mount.ts';
import { beginSession, SessionMemory } from '../fuse/session-memory.ts';
import { unmount } from '../fuse/unmount.ts';
import { prepareMount } from '../keeper/prepare-mount.ts';
import { mountAt, readMounts } from '../platform/mount-table.ts';
import { createMemoryFile, isHungUp } from '../platform/native.ts';
import {
  connectServiceManager,
  type ServiceManager,
  takeStoredDescriptors,
} from '../platform/service-manager.ts';
import type { DaemonOptions, InheritedSession } from './daemon-options.ts';
import { storedNames } from './holder-link.ts';

type Acquired = Pick<DaemonOptions, 'session' | 'manager' | 'keptBy'> & { readonly options: MountOptions };

/** Throws what is wrong with the options, or why it cannot be mounted. */
export async function acquireSession(given: GivenOptions, uid: number): Promise<Acquired> {
  const manager = connectServiceManager(process.env);
  const keptBy = manager === null ? 'none' : 'systemd';
  const kept = keptSession(takeStoredDescriptors(process.env));
  if (kept !== null && isWorthKeeping(kept)) {
    const { state } = given;
    const stateDirectory = state ?? (await settleOptions(given, { env: process.env, uid })).stateDirectory;
    return { options: recordedOptions(stateDirectory), session: kept, manager, keptBy };
  }
  const options = await settleOptions(given, { env: process.env, uid });
  if (kept !== null) await letGo(kept, options.mountPoint, manager);
  await prepareMount(options, { isMounted: false });
  return {
    options,
    session: options.driver === 'kernel' ? newSession(options, manager) : null,
    manager,
    keptBy,
  };
}

function keptSession(stored: ReadonlyMap<string, number>): InheritedSession | null {
  const fd = stored.get(storedNames.device);
  const memoryFd = stored.get(storedNames.memory);
  const record = memoryFd === undefined ? null : new SessionMemory(memoryFd).record();
  if (fd !== undefined && memoryFd !== undefined && record !== null) {
    return { fd, memoryFd, device: record.device };
  }
  for (const other of stored.values()) closeSync(other); // one without the other, or of a version unknown to us
  return null;
}

/** It lives, and nothing was lost that cannot be had again (Linux before 6.9 sends nothing twice). */
function isWorthKeeping({ fd, memoryFd }: InheritedSession): boolean {
  if (isHungUp(fd)) return false;
  const record = new SessionMemory(memoryFd).record();
  return record !== null && (record.isHandedOver || record.negotiated?.hasResend !== false);
}

/** What waits in it ends with ECONNABORTED or ENOTCONN. */
async function letGo(
  { fd, memoryFd, device }: InheritedSession,
  mountPoint: string,
  manager: ServiceManager | null,
): Promise<void> {
  if (mountAt(mountPoint, readMounts())?.device === device) await unmount(mountPoint, 'giving-up');
  for (const name of Object.values(storedNames)) manager?.notify({ FDSTOREREMOVE: 1, FDNAME: name });
  closeSync(fd);
  closeSync(memoryFd);
}

function newSession(
  { mountPoint, allowOther }: MountOptions,
  manager: ServiceManager | null,
): InheritedSession {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const { fd, device } = mountNewSession({ mountPoint, allowOther, uid, gid });
  const memoryFd = createMemoryFile('musicfs-session');
  beginSession(memoryFd, device);
  manager?.notify({ FDSTORE: 1, FDNAME: storedNames.memory }, [memoryFd]);
  manager?.notify({ FDSTORE: 1, FDNAME: storedNames.device }, [fd]);
  return { fd, memoryFd, device };
}
