// Looks after the catalog file for the catalog-writer actor: is it in order, and is there a backup of today.
//
// Checked is after a start that no ordered stop went before, and when a reader could not read. Each look is a thread of
// its own that ends with its answer; one runs at a time.
import { Worker } from 'node:worker_threads';
import type { CheckTask, CheckVerdict } from '../catalog/check-thread.ts';
import { messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { ActorContext } from '../supervision/actor-life.ts';

export interface CatalogCheckOptions {
  readonly path: string;
  /** The last stop was in order. */
  readonly isClean: boolean;
  /** Requests that the fuse thread could not answer for the catalog's sake, so far. */
  readonly readErrors: () => number;
  readonly onDamaged: (reason: string) => void;
}

/** The mount answers by then: a check reads the whole file, and the start goes first. */
const checkAfterMs = 3_000;
const backupAfterMs = 60_000;
const readErrorsEveryMs = 5_000;

export function lookAfterCatalog<M>(context: ActorContext<M>, options: CatalogCheckOptions): void {
  let isBusy = false;
  let seenErrors = options.readErrors();

  const look = (type: CheckTask['type']) => {
    if (isBusy) return;
    isBusy = true;
    runCheck(context, { type, path: options.path }, (verdict) => {
      isBusy = false;
      if (verdict.type === 'damaged') return options.onDamaged(verdict.reason);
      if (verdict.type === 'failed') {
        context.log.warn({ event: `catalog_${type}_failed`, error: verdict.reason });
      } else if (verdict.type === 'sound' || verdict.isNew) {
        context.log.info({ event: type === 'check' ? 'catalog_checked' : 'catalog_backed_up' });
      }
    });
  };
  const watchReaders = () => {
    const errors = options.readErrors();
    if (errors > seenErrors) look('check');
    seenErrors = errors;
    context.scope.timer(readErrorsEveryMs, watchReaders);
  };
  const backUp = () => {
    look('backup');
    context.scope.timer(limits.backupEveryMs, backUp);
  };

  if (!options.isClean) context.scope.timer(checkAfterMs, () => look('check'));
  context.scope.timer(readErrorsEveryMs, watchReaders);
  context.scope.timer(backupAfterMs, backUp);
}

function runCheck<M>(
  context: ActorContext<M>,
  task: CheckTask,
  onVerdict: (verdict: CheckVerdict) => void,
): void {
  const thread = new Worker(new URL('../catalog/check-thread.ts', import.meta.url), {
    name: 'catalog-check',
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: 1 },
  });
  let isOver = false;
  const end = (verdict: CheckVerdict) => {
    if (isOver || context.signal.aborted) return;
    isOver = true;
    onVerdict(verdict);
  };
  thread.on('message', end);
  thread.on('error', (error) => end({ type: 'failed', reason: messageOf(error) }));
  thread.on('exit', (code) => end({ type: 'failed', reason: `the check ended with ${code}` }));
  // Not waited for: it may be in the middle of a call to SQLite, which only the end of the process can cut short.
  context.scope.defer(() => void thread.terminate());
}
