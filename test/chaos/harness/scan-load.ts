// A scan of many files that runs all the time: begun again when its daemon died, and over changed files when it ended.
import { limits } from '../../../src/platform/limits.ts';
import { eventually } from '../../fixtures/eventually.ts';
import type { Scene } from './scene.ts';

export class ScanLoad {
  private readonly scene: Scene;
  /** How often every fresh file was new or changed. */
  private rounds = 0;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  async start(): Promise<void> {
    this.scene.fresh.write();
    this.rounds = 1;
    await this.scene.library.startScan();
  }

  /** After a fault: a scan that was interrupted begins again, one that is over has new work. */
  async goOn(): Promise<void> {
    const { library, fresh } = this.scene;
    const { scan, files } = await library.status();
    if (scan.running) return;
    if (scan.phase === 'done' && scan.done >= files && files > fresh.count) {
      fresh.touch();
      this.rounds += 1;
    }
    await library.startScan();
  }

  /** The last scan ends complete, with every file. */
  async finish(deadlineMs: number): Promise<void> {
    const { library, broken } = this.scene;
    await eventually('no scan runs', async () => !(await library.status()).scan.running, deadlineMs);
    await library.rescan();
    const { scan } = await library.status();
    if (!scan.complete || scan.errors > 0) broken.push(`the scan ended with ${scan.errors} errors`);
  }

  /** Each round every file once, and for each fault what it may have cost. */
  allowedParses(stableFiles: number): number {
    const { faults, fresh } = this.scene;
    return stableFiles + this.rounds * fresh.count + faults.length * limits.publishBatchFiles;
  }
}
