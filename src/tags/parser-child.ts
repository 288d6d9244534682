// One parser child as the pool sees it: the process, its pipes, what it is working on, and how long and how much.
//
// It runs under util-linux setpriv, so that it ends with the daemon and can gain nothing; when the daemon is root it is
// nobody, with the one capability that reads every file. Where nothing can be gained any more (and setpriv is therefore
// refused) it runs by itself. It gets no environment, no descriptors but its pipes, and no
// path of music on its command line.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pipesOf } from '../platform/child-pipes.ts';
import { confinedNode, noCapability } from '../platform/confined-node.ts';
import {
  type ChildBatch,
  type ChildResult,
  childReady,
  parseChildLine,
  rootUnavailable,
} from './parse-outcome.ts';
import { parserLimits } from './parser-limits.ts';

export interface ChildEvents {
  /** It has started and is idle. */
  ready(): void;
  /** The next file of its batch is done. */
  result(result: ChildResult): void;
  /** The batch's root cannot be opened; no results will come. */
  rootUnavailable(code: string): void;
  /** The process is gone, with a reason for people. Nothing comes after this. */
  exited(reason: string): void;
}

/** What the kernel says about a process; null when it is gone. */
export interface ProcessUse {
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** Ticks per second of /proc/PID/stat: 100 on every architecture Linux has today. */
const ticksPerSecond = 100;

const nobody = '65534';

const privilegeArguments = [
  ...['--reuid', nobody, '--regid', nobody, '--clear-groups'],
  ...['--inh-caps', '-all,+dac_read_search', '--ambient-caps', '-all,+dac_read_search'],
  ...['--bounding-set', '-all,+dac_read_search'],
];

export class ParserChild {
  private readonly process: ChildProcess;
  private readonly events: ChildEvents;
  private pieces: Buffer[] = [];
  private pieceBytes = 0;
  private stderrTail = '';
  private killReason: string | null = null;
  private isReady = false;
  private hasExited = false;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;

  constructor(dropPrivileges: boolean, heapMb: number, events: ChildEvents) {
    this.events = events;
    const [program, ...args] = confinedNode(
      [`--max-old-space-size=${heapMb}`, fileURLToPath(new URL('./parser-process.ts', import.meta.url))],
      dropPrivileges ? privilegeArguments : noCapability,
      dropPrivileges,
    );
    this.process = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
      cwd: '/',
    });
    const results = pipesOf(this.process)[3];
    results?.on('data', (piece: Buffer) => this.receive(piece));
    results?.on('error', () => this.kill('its pipe broke'));
    // Writing to a child that has just died fails; its exit tells the rest.
    this.process.stdin?.on('error', () => this.kill('its pipe broke'));
    this.process.stderr?.on('data', (piece: Buffer) => {
      this.stderrTail = (this.stderrTail + piece.toString('latin1')).slice(-parserLimits.stderrBytes);
    });
    this.gone = new Promise((resolve) => {
      const ended = (reason: string) => {
        if (!this.hasExited) {
          this.hasExited = true;
          this.events.exited(this.killReason ?? reason);
        }
        resolve();
      };
      this.process.once('error', (error) => ended(`it cannot be started: ${error.message}`));
      // `close` comes after the last line of its pipes.
      this.process.once('close', (code, signal) => ended(this.describeEnd(code, signal)));
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Hands it a batch. The caller waits for its results before the next one. */
  send(batch: ChildBatch): void {
    this.process.stdin?.write(`${JSON.stringify(batch)}\n`);
  }

  /** Lets it end by itself: it does at the end of its input. */
  dismiss(): void {
    this.process.stdin?.end();
  }

  /** Ends it at once. The first reason given is the one reported. */
  kill(reason: string): void {
    this.killReason ??= reason;
    this.process.kill('SIGKILL');
  }

  /** Processor time and memory of the process so far; null when it is gone. */
  use(): ProcessUse | null {
    try {
      const stat = readFileSync(`/proc/${this.process.pid}/stat`, 'latin1');
      // The name in parentheses may hold anything; utime and stime are fields 14 and 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[11]) + Number(fields[12]);
      const rssKb = /^VmRSS:\s+(\d+) kB/m.exec(
        readFileSync(`/proc/${this.process.pid}/status`, 'latin1'),
      )?.[1];
      return { cpuMs: (ticks * 1000) / ticksPerSecond, rssMb: Number(rssKb ?? 0) / 1024 };
    } catch {
      return null;
    }
  }

  private describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
    const end = signal === null ? `exit status ${code}` : signal;
    const last = this.stderrTail
      .split('\n')
      .filter((line) => /\S/.test(line) && !line.startsWith('Node.js v'));
    const detail =
      last.find((line) => /^\w*Error: |^\w+ \[\w*Error\]: |FATAL ERROR|^setpriv:/.test(line)) ?? last.at(-1);
    return detail === undefined ? `it ended by ${end}` : `it ended by ${end}: ${detail.trim().slice(0, 300)}`;
  }

  private receive(piece: Buffer): void {
    let start = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      const line = Buffer.concat([...this.pieces, piece.subarray(start, end)]).toString('utf8');
      this.pieces = [];
      this.pieceBytes = 0;
      start = end + 1;
      if (this.killReason !== null) return;
      this.receiveLine(line);
    }
    if (start >= piece.length) return;
    this.pieces.push(piece.subarray(start));
    this.pieceBytes += piece.length - start;
    if (this.pieceBytes > parserLimits.lineBytes) this.kill('its answer is too long');
  }

  private receiveLine(line: string): void {
    if (!this.isReady && line === childReady) {
      this.isReady = true;
      this.events.ready();
      return;
    }
    if (line.startsWith(rootUnavailable)) {
      this.events.rootUnavailable(line.slice(rootUnavailable.length, rootUnavailable.length + 20));
      return;
    }
    const result = this.isReady ? parseChildLine(line) : null;
    if (result === null) this.kill('its answer makes no sense');
    else this.events.result(result);
  }
}
