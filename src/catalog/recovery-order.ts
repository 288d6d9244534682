// The order to put a damaged catalog aside, left in the state directory for the next process: while this one lives its
// threads have the file open. Carried out by recover-catalog before anything opens it. Loads no SQLite: the main thread
// gives the order.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const pathOf = (catalogPath: string) => `${catalogPath}.recover`;

/** `reason` is what was found, one line. */
export function orderRecovery(catalogPath: string, reason: string): void {
  const file = pathOf(catalogPath);
  writeFileSync(`${file}.new`, reason, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

/** The reason of the order that waits, or null. */
export function recoveryOrder(catalogPath: string): string | null {
  return existsSync(pathOf(catalogPath)) ? readFileSync(pathOf(catalogPath), 'utf8') : null;
}

export function forgetRecoveryOrder(catalogPath: string): void {
  rmSync(pathOf(catalogPath), { force: true });
}
