// Pictures out of the files of an origin, taken by a process that may be killed. Called by make-album-art.ts; keeps nothing.
//
// The process runs as parsers of tags do: under util-linux setpriv, so that it ends with the daemon and can gain nothing; when
// the daemon is root it is nobody, with the one capability that reads every file.
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../platform/clock.ts';
import { confinedNode, noCapability } from '../platform/confined-node.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import {
  type ExtractionAnswer,
  type ExtractionQuestion,
  encodeExtraction,
  longestExtractedBytes,
  parseExtracted,
} from './extraction-protocol.ts';
import type { Trade } from './picture-child.ts';
import { PictureWorker } from './picture-worker.ts';

const nobody = '65534';

const privileges = [
  ...['--reuid', nobody, '--regid', nobody, '--clear-groups'],
  ...['--inh-caps', '-all,+dac_read_search', '--ambient-caps', '-all,+dac_read_search'],
  ...['--bounding-set', '-all,+dac_read_search'],
];

export class Extractions {
  private readonly worker: PictureWorker<ExtractionQuestion, ExtractionAnswer>;

  /** `dropPrivileges`: the daemon is root. */
  constructor(dropPrivileges: boolean, clock: Clock = systemClock) {
    this.worker = new PictureWorker(tradeOf(dropPrivileges), clock);
  }

  /** The process that takes questions now, null when there is none. */
  get pid(): number | null {
    return this.worker.pid;
  }

  /**
   * What a file holds of pictures. Rejects with `origin_unavailable` when the disk did not answer in time,
   * `deadline_exceeded` when the file kept the process busy for too long, and `unavailable` when the process died of it or by
   * itself: the same file may well do both again; with `refused` when no process can be started, `overloaded` when too many
   * wait, `cancelled` after close, and with the signal's reason: work under way is given up then, at the cost of the process.
   */
  async take(question: ExtractionQuestion, signal: AbortSignal): Promise<ExtractionAnswer> {
    if (this.worker.waiting >= limits.extractionsWaiting)
      throw new MusicfsError('overloaded', 'too many files wait to be searched for pictures');
    return this.worker.ask(question, signal);
  }

  /** Ends the process and rejects whoever waits. Resolves when it is gone, or stuck in the kernel. May be called twice. */
  close(): Promise<void> {
    return this.worker.close();
  }
}

function tradeOf(dropPrivileges: boolean): Trade<ExtractionQuestion, ExtractionAnswer> {
  return {
    name: 'extraction process',
    command: () =>
      confinedNode(
        [
          ...['--max-old-space-size=64', '--v8-pool-size=1'],
          fileURLToPath(new URL('./extraction-process.ts', import.meta.url)),
        ],
        dropPrivileges ? privileges : noCapability,
        dropPrivileges,
      ),
    environment: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', UV_THREADPOOL_SIZE: '2' },
    encode: (question) => [encodeExtraction(question)],
    parse: parseExtracted,
    longestAnswerBytes: longestExtractedBytes,
    answerMs: limits.extractionMs,
    // It computes or it reads: what did not compute has waited for the disk.
    late: (usedCpuMs) =>
      usedCpuMs !== null && usedCpuMs < limits.extractionCpuMs
        ? new MusicfsError('origin_unavailable', `a file was not read within ${limits.extractionMs} ms`)
        : new MusicfsError(
            'deadline_exceeded',
            `the extraction process took more than ${limits.extractionMs} ms`,
          ),
  };
}
