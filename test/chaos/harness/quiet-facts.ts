// Gathers how things are while nothing happens, for the invariants to compare.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { mountAt, readMounts } from '../../../src/platform/mount-table.ts';
import type { Library } from '../../fixtures/mounted.ts';
import type { QuietFacts } from './invariants.ts';
import { leavesOf } from './scene.ts';

/** `unchanging` are the folders of the origin that nothing may change. */
export async function quietFacts(library: Library, unchanging: readonly string[]): Promise<QuietFacts> {
  const { daemon, keeper } = await library.pids();
  const [status, tree] = [await library.status(), await library.tree()];
  const { integrity } = await checkCatalog(library);
  const waiting = leavesOf(tree).map(({ mailbox }) => mailbox?.depth ?? 0);
  return {
    device: deviceOf(library),
    rootInode: await library.shell('stat -c %i $M'),
    originHash: hashOfNames(library.origin, unchanging),
    integrity,
    daemonPid: daemon,
    keeperPid: keeper,
    descriptors: descriptorsOf(daemon),
    keeperDescriptors: descriptorsOf(keeper),
    waitingMessages: waiting.reduce((sum, depth) => sum + depth, 0),
    openHandles: status.session.openHandles,
    isScanning: status.scan.running,
    filesListed: Number(await library.shell('find $M -type f | wc -l', { limitMs: 60_000 })),
  };
}

/** "major:minor" of the mount, read from the table and not from the mount. */
export function deviceOf(library: Library): string | undefined {
  return mountAt(library.mountPoint, readMounts())?.device;
}

/** Looked at by a process of its own, as the daemon goes on writing. */
export function checkCatalog(library: Library): Promise<{ integrity: string; files: number }> {
  const file = path.join(library.stateDirectory, 'catalog.db');
  return library.program('check-catalog', [file], { limitMs: 30_000 });
}

/**
 * Memory in MB, what is shared counted by share (PSS): most of a small Node process is Node's own text, which all have in
 * common. 0 of a process that is gone.
 */
export function memoryMb(pid: number): number {
  try {
    const [, kb] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')) ?? [];
    return Math.round(Number(kb ?? 0) / 1024);
  } catch {
    return 0;
  }
}

/** Files, devices and the like; what leads to child processes and clients comes and goes. */
function descriptorsOf(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => {
    try {
      return !/^(socket|pipe):/.test(readlinkSync(path.join(folder, fd)));
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

function hashOfNames(origin: string, folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders.toSorted()) {
    const names = readdirSync(path.join(origin, folder), { recursive: true, encoding: 'utf8' }).toSorted();
    for (const name of names) {
      const { size, mtimeNs, mode, ino } = lstatSync(path.join(origin, folder, name), { bigint: true });
      hash.update(`${folder}/${name} ${size} ${mtimeNs} ${mode} ${ino}\n`);
    }
  }
  return hash.digest('hex');
}
