// The daemon's end of the channel to its keeper: says when the mount answers or why it will not, and hears "stop".
// Under no keeper everything here does nothing.
import type { DaemonNews } from '../keeper/daemon-news.ts';

export interface KeeperLink {
  readonly isKept: () => boolean;
  /** Resolves when the news is on its way, or cannot be told any more. */
  tell(news: DaemonNews): Promise<void>;
}

/** `onLost` is called when the keeper dies: the daemon goes on without it. */
export function connectKeeper(onLost: () => void): KeeperLink {
  const send = process.send?.bind(process);
  if (send === undefined) return { isKept: () => false, tell: () => Promise.resolve() };
  process.once('disconnect', onLost);
  process.channel?.unref();
  return {
    isKept: () => process.connected,
    tell: (news) =>
      new Promise((resolve) => {
        if (!process.connected) return resolve();
        send(news, undefined, undefined, () => resolve());
      }),
  };
}
