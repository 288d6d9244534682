// Waits until every origin has been scanned once, showing how far that is.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../control/client.ts';
import { MusicfsError } from '../platform/errors.ts';
import { waitUntilAccepted } from './find-daemon.ts';
import { createProgressView } from './progress-view.ts';

const askEveryMs = 200;

/** Rejects with `refused` when the first scan ended without having met everything. Ends quietly when aborted. */
export async function waitForFirstScan(socketPath: string, signal: AbortSignal): Promise<void> {
  await waitUntilAccepted(socketPath);
  const client = connect(socketPath);
  const view = await createProgressView();
  try {
    while (!signal.aborted) {
      const { scan, warnings } = await client.status();
      if (scan.complete) return;
      if (!scan.running && scan.phase === 'done') {
        throw new MusicfsError(
          'refused',
          `the scan did not meet everything (${scan.errors} errors): ${warnings[0] ?? 'see the log'}`,
        );
      }
      if (scan.running) view.show(scan);
      await sleep(askEveryMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    view.end();
    client.close();
  }
}
