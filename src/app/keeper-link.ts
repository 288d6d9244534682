// The daemon's end of the channel to its keeper: says when the mount answers or why it will not, and hears "stop".
// Under no keeper everything here does nothing.
import type { DaemonNews } from '../keeper/daemon-news.ts';

export interface KeeperLink {
  readonly isKept: () => boolean;
  tell(news: DaemonNews): void;
}

/** `onLost` is called when the keeper dies: the daemon goes on without it. */
export function connectKeeper(onLost: () => void): KeeperLink {
  const send = process.send?.bind(process);
  if (send === undefined) return { isKept: () => false, tell: () => undefined };
  process.once('disconnect', onLost);
  process.channel?.unref();
  return {
    isKept: () => process.connected,
    tell(news) {
      if (process.connected) send(news);
    },
  };
}
