// The configuration, read again while the daemon runs. A bad one changes nothing and is reported whole.
//
// What can change at once is applied; what needs a new life of the daemon is only named (musicfs restart keeps the
// mount), and so is what needs a new mount.
import { isDeepStrictEqual } from 'node:util';
import type { MountOptions } from '../config/mount-options.ts';
import { recordOptions } from '../config/recorded-options.ts';
import { settleOptions } from '../config/settle-options.ts';
import { messageOf } from '../platform/errors.ts';
import type { ProgramLogger } from '../platform/logger.ts';

export interface ReloadResult {
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
  readonly needsRemount: readonly string[];
}

/** Option → when a change of it takes effect. */
const classes = {
  logLevel: 'live',
  origins: 'restart',
  cache: 'restart',
  library: 'restart',
  scan: 'restart',
  artwork: 'restart',
  passthrough: 'restart',
  ownership: 'remount',
  mountPoint: 'remount',
  stateDirectory: 'remount',
  driver: 'remount',
  allowOther: 'remount',
} as const;

type Option = keyof typeof classes;

export class Reload {
  private current: MountOptions;
  private readonly uid: number;
  private readonly log: ProgramLogger;

  constructor(options: MountOptions & { readonly uid: number }, log: ProgramLogger) {
    this.current = options;
    this.uid = options.uid;
    this.log = log;
  }

  /** Never rejects: the outcome is logged. */
  async apply(): Promise<void> {
    try {
      const next = await this.settle();
      const result = differences(this.current, next);
      this.current = { ...this.current, logLevel: next.logLevel };
      this.log.setLevel(next.logLevel);
      this.log.info({ event: 'config_reloaded', ...result });
    } catch (error) {
      this.report(error);
    }
  }

  /** Writes down what the next life is to be; what needs a new mount stays as it is. Throws what is wrong. */
  async record(): Promise<void> {
    try {
      const next = await this.settle();
      const { mountPoint, stateDirectory, socketPath, driver, allowOther, ownership } = this.current;
      const { enableFailpoints, failpoints, given } = this.current;
      const kept = { mountPoint, stateDirectory, socketPath, driver, allowOther, ownership };
      const { origins, cache, library, scan, artwork, passthrough, logLevel } = next;
      const wanted = { origins, cache, library, scan, artwork, passthrough, logLevel };
      recordOptions({ ...kept, ...wanted, enableFailpoints, failpoints, given });
    } catch (error) {
      this.report(error);
      throw error;
    }
  }

  private settle(): Promise<MountOptions> {
    const { given, origins } = this.current;
    return settleOptions(given, { env: process.env, uid: this.uid, known: origins });
  }

  private report(error: unknown): void {
    this.log.error({ event: 'config_refused', error: messageOf(error) }, 'the configuration stays as it was');
  }
}

function differences(before: MountOptions, after: MountOptions): ReloadResult {
  const changed = (Object.keys(classes) as Option[]).filter(
    (option) => !isDeepStrictEqual(before[option], after[option]),
  );
  const of = (wanted: (typeof classes)[Option]) => changed.filter((option) => classes[option] === wanted);
  return { applied: of('live'), needsRestart: of('restart'), needsRemount: of('remount') };
}
