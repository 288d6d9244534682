// The process of driver fuse-native: mounts, answers, and ends with the daemon that started it. Of its own because
// fuse-native needs the main event loop of a process and can take one down; the daemon lives on and mounts anew.
//
// It opens the catalog for reading and the origin's files, like the fuse thread of the kernel driver. It never names a
// path of its mount once that stands, and never unmounts: when the daemon is gone it ends at once, and the dead mount
// answers ENOTCONN, which no scanner takes for an empty library.
import { statfs } from 'node:fs';
import { openCatalogForReading } from '../../../catalog/open-catalog.ts';
import { TreeReader } from '../../../catalog/tree-reader.ts';
import { LocalReader } from '../../../origins/local-reader.ts';
import { systemClock } from '../../../platform/clock.ts';
import { reportCrashes } from '../../../platform/crash-report.ts';
import { MusicfsError, messageOf } from '../../../platform/errors.ts';
import { Failpoints } from '../../../platform/failpoints.ts';
import { createLogger } from '../../../platform/logger.ts';
import { mountAt, readMounts } from '../../../platform/mount-table.ts';
import { endWithParent, exitNow } from '../../../platform/native.ts';
import { Answers } from '../../answers.ts';
import { SpecialFiles } from '../../special-files.ts';
import { FuseCounters } from '../../thread-protocol.ts';
import { unmount } from '../../unmount.ts';
import { isSessionOver, mountByPath } from './native-mount.ts';
import { PathOperations } from './path-operations.ts';
import type { NativeCommand, NativeData, NativeEvent } from './process-protocol.ts';

const beatMs = 1_000;
/** The exit status that says so, as the daemon's. */
const crashed = 70;
const beatsPerHousekeeping = 10;
/** The last answers are on their way to the kernel. */
const lastAnswersMs = 50;

type Commands = (command: Exclude<NativeCommand, { type: 'begin' }>) => void;

function main(): void {
  if (process.send === undefined) throw new MusicfsError('internal', 'the driver is started by musicfsd');
  reportCrashes('fuse-native', crashed);
  endWithParent();
  process.on('disconnect', () => exitNow(0));
  // Meant for the daemon, which is asked as well: what is under way is still answered.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => undefined);
  }
  let obey: Commands | null = null;
  process.on('message', (command: NativeCommand) => {
    if (command.type !== 'begin') return obey?.(command);
    begin(command.data).then(
      (commands) => {
        obey = commands;
      },
      (error: unknown) => tell({ type: 'refused', message: messageOf(error) }, () => exitNow(1)),
    );
  });
}

function tell(event: NativeEvent, sent: () => void = () => undefined): void {
  process.send?.(event, undefined, undefined, sent);
}

async function begin(data: NativeData): Promise<Commands> {
  const log = createLogger('info', 'fuse-native');
  const counters = new FuseCounters();
  const failpoints = new Failpoints(data.failpoints);
  const tree = new TreeReader(openCatalogForReading(data.catalogPath), {
    failpoints,
    formerNameMs: data.formerNameMs,
    caseInsensitive: data.caseInsensitive,
  });
  const content = new LocalReader((id, version) => tree.location(id, version), systemClock, failpoints);
  let freeBytes = 0;
  let texts: Readonly<Record<string, string>> = {};
  const special = new SpecialFiles({
    clock: systemClock,
    texts: () => texts,
    refresh: () => tell({ type: 'refresh-asked' }),
  });
  const operations = new PathOperations({
    answers: new Answers(tree, content, special),
    counters,
    failpoints,
    clock: systemClock,
    log,
    ownership: data.ownership,
    freeBytes: () => freeBytes,
  });

  if (data.replaces !== null && mountAt(data.mountPoint, readMounts())?.device === data.replaces) {
    await unmount(data.mountPoint, 'lazy');
  }
  await mountByPath(data.mountPoint, data.allowOther, operations);
  const device = mountAt(data.mountPoint, readMounts())?.device;
  if (device === undefined) throw new MusicfsError('refused', `${data.mountPoint} was unmounted at once`);

  const keepHouse = () => {
    content.closeIdle();
    statfs(data.stateDirectory, (error, stat) => {
      if (error === null) freeBytes = stat.bavail * stat.bsize;
    });
  };
  let beats = 0;
  const beat = () => {
    if (failpoints.check('fuse.thread.loop')?.type === 'hang') return;
    if (isSessionOver()) return tell({ type: 'session-ended' }, () => exitNow(0));
    if (beats % beatsPerHousekeeping === 0) keepHouse();
    beats += 1;
    counters.set('statements', tree.statements);
    counters.set('openHandles', operations.openHandles);
    counters.set('originOpens', content.stats.opens);
    counters.set('cachedReads', content.stats.cachedReads);
    counters.set('waitedReads', content.stats.waitedReads);
    counters.set('bytesRead', content.stats.bytes);
    tell({ type: 'beat', counters: counters.toArray() });
    setTimeout(beat, beatMs);
  };
  beat();
  tell({ type: 'serving', device });

  return (command) => {
    switch (command.type) {
      case 'stop':
        operations.close();
        setTimeout(() => exitNow(0), lastAnswersMs);
        return;
      case 'special-texts':
        ({ texts } = command);
        return;
      case 'set-failpoint':
        return failpoints.set(command.setting);
      case 'clear-failpoints':
        return failpoints.clear();
    }
  };
}

main();
