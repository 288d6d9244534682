// musicfsd: the daemon. Started by a keeper, which has mounted and hands the session down, or by a service manager.
// Installs the crash report, starts the threads, and runs app/daemon.
import { exitCodes } from './app/exit-codes.ts';
import { reportCrashes } from './platform/crash-report.ts';
import { ThreadSource } from './platform/thread-source.ts';

reportCrashes('musicfsd', exitCodes.crashed);
process.on('SIGPIPE', () => undefined);
process.on('SIGUSR1', () => undefined); // Node would start its inspector; what it means is said later
process.umask(0o077); // what is written is the daemon's own

// The threads load while the rest of the program does.
const threads = {
  fuse: new ThreadSource(new URL('./fuse/fuse-thread.ts', import.meta.url), 'fuse'),
  catalogWriter: new ThreadSource(new URL('./catalog/writer-thread.ts', import.meta.url), 'catalog-writer'),
  // Only for origins that need it, which are not known yet.
  fetch: new ThreadSource(new URL('./fetch/fetch-thread.ts', import.meta.url), 'fetch'),
};
threads.catalogWriter.startAhead();
threads.fuse.startAhead();
const { startOptions } = await import('./app/start-options.ts');
const options = await startOptions(process.argv.slice(2));
const { exitNow } = await import('./platform/native.ts');
if (typeof options === 'number') exitNow(options);
else {
  if (options.driver !== 'kernel') await threads.fuse.discard();
  const { runDaemon } = await import('./app/daemon.ts');
  exitNow(await runDaemon({ ...options, threads }));
}
