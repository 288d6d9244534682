// Waiting for something that cannot be called back, such as a system call or the answer of a server.

/**
 * What `work` gives, unless `signal` aborts first: then rejects with its reason, and what comes later goes to `late`
 * (a descriptor that must be closed) or nowhere.
 */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  late?: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason as Error);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    work.then(
      (value) => {
        signal.removeEventListener('abort', giveUp);
        if (signal.aborted) late?.(value);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', giveUp);
        reject(error as Error);
      },
    );
  });
}
