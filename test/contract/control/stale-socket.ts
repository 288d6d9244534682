import { renameSync } from 'node:fs';
import { createServer } from 'node:net';

/** Leaves a socket whose owner is gone. The owner binds another name, so that it cannot remove this one. */
export async function leaveStaleSocket(socketPath: string): Promise<void> {
  const owner = createServer();
  await new Promise<void>((resolve) => {
    owner.listen(`${socketPath}.bound`, resolve);
  });
  renameSync(`${socketPath}.bound`, socketPath);
  await new Promise((resolve) => {
    owner.close(resolve);
  });
}
