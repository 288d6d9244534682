// A worker thread as a part of an actor's life: its death is the life's failure, its end belongs to the life's end.
import type { Worker } from 'node:worker_threads';
import { reportDeath } from '../platform/crash-report.ts';
import type { ThreadSource } from '../platform/thread-source.ts';
import type { ActorContext } from '../supervision/actor-life.ts';

export interface OwnedThread<C> {
  readonly thread: Worker;
  command(message: C): void;
  /**
   * Sends `last` and waits until the thread says something that `isDone`, has ended, or `graceMs` have passed; after
   * that the thread is terminated with the life's scope. Returns at once when the thread is dead already.
   */
  stop(last: C, isDone: (event: unknown) => boolean, graceMs: number): Promise<void>;
}

/** Takes a thread for this life. `wake` is called after each message: for threads that sleep outside their event loop. */
export function ownThread<M, C>(
  context: ActorContext<M>,
  source: ThreadSource,
  wake: () => void = () => undefined,
): OwnedThread<C> {
  const thread = source.take();
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    thread.once('exit', (code) => {
      hasEnded = true;
      context.fail(new Error(`the ${context.id} thread ended with code ${code}`));
      resolve();
    });
  });
  thread.on('error', (error) => {
    const { id: actor, incarnation } = context;
    reportDeath({ kind: 'thread error', error, thread: `${actor} ${thread.threadId}`, actor, incarnation });
    context.fail(error);
  });
  context.scope.defer(async () => {
    wake();
    await thread.terminate();
  });
  context.setProcess({ threadId: thread.threadId });
  const command = (message: C) => {
    thread.postMessage(message);
    wake();
  };
  return {
    thread,
    command,
    async stop(last, isDone, graceMs) {
      if (hasEnded) return;
      const done = new Promise<void>((resolve) => {
        thread.on('message', (event: unknown) => isDone(event) && resolve());
      });
      const late = new Promise<void>((resolve) => context.clock.after(graceMs, resolve));
      command(last);
      await Promise.race([done, ended, late]);
    },
  };
}
