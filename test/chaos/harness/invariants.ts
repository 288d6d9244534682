// What must hold whatever is done to the daemon, as a table: one line an invariant, and how it is seen. Each looks at
// evidence that was gathered before and after the faults, and answers what is broken; nothing means that it holds.
import type { ReaderError } from '../../fixtures/programs/checked-reader.ts';
import { injected, type LogFacts } from './log-facts.ts';

/** How things are while nothing happens: at the start, once before the faults, and once after. */
export interface QuietFacts {
  /** "major:minor" of the mount, and the inode of its root as a program sees it. */
  readonly device: string | undefined;
  readonly rootInode: string;
  /** Hash over the names, sizes and times of what the readers read. */
  readonly originHash: string;
  /** Answer of SQLite's integrity check. */
  readonly integrity: string;
  readonly daemonPid: number;
  readonly keeperPid: number;
  /** Open descriptors that are no sockets or pipes of child processes. */
  readonly descriptors: number;
  readonly keeperDescriptors: number;
  readonly waitingMessages: number;
  readonly openHandles: number;
  readonly isScanning: boolean;
  readonly filesListed: number;
}

export interface Evidence {
  readonly before: QuietFacts;
  readonly after: QuietFacts;
  readonly errors: readonly ReaderError[];
  /** Checks of the readers that found an error. */
  readonly failedChecks: number;
  readonly longestStepMs: number;
  readonly longestPauseMs: number;
  readonly mostMb: { readonly daemon: number; readonly keeper: number };
  readonly log: LogFacts;
  readonly expectedRestarts: ReadonlyMap<string, number>;
  /** Handles that count as open until the kernel forgets their node: one for each life of the session that ended in a fault. */
  readonly mayStayOpen: number;
  /** Kills of the daemon. */
  readonly kills: number;
  /** Further things that were seen to be wrong while the faults went on. */
  readonly broken: readonly string[];
  readonly parses: { readonly seen: number; readonly allowed: number };
  readonly allowedErrnos: readonly string[];
}

export interface Invariant {
  readonly id: number;
  readonly holds: string;
  readonly broken: (evidence: Evidence) => readonly string[];
}

const callMs = 30_000;
const descriptorSlack = 5;
const daemonMb = 500;
const keeperMb = 60;
const mostShown = 10;

const when = (isBroken: boolean, what: string): readonly string[] => (isBroken ? [what] : []);
const lines = (errors: readonly ReaderError[]) =>
  errors.slice(0, mostShown).map(({ way, file, error, tookMs }) => `${way} ${file}: ${error} (${tookMs} ms)`);

/** What a check compares rather than calls: wrong bytes or a wrong tree. */
export const isWrong = ({ errno }: ReaderError): boolean => errno === null;
const isAboutBytes = ({ error }: ReaderError) => error.startsWith('other bytes');

export const invariants: readonly Invariant[] = [
  {
    id: 1,
    holds: 'every call of a reader ends within 30 s, and the time in which no daemon lives',
    broken: ({ longestStepMs, longestPauseMs }) =>
      when(longestStepMs > callMs + longestPauseMs, `a step took ${Math.round(longestStepMs)} ms`),
  },
  {
    id: 2,
    holds: 'every byte is the right one',
    broken: ({ errors }) => lines(errors.filter((error) => isWrong(error) && isAboutBytes(error))),
  },
  {
    id: 3,
    holds: 'no name is missing or double, and every inode number stays',
    broken: ({ errors, before, after }) => [
      ...lines(errors.filter((error) => isWrong(error) && !isAboutBytes(error))),
      ...when(
        after.filesListed !== before.filesListed,
        `${after.filesListed} files, were ${before.filesListed}`,
      ),
      ...when(after.rootInode !== '1', `the root's inode is ${after.rootInode}`),
    ],
  },
  {
    id: 4,
    holds: 'no call fails but with an errno that the scenario allows',
    broken: ({ errors, allowedErrnos, failedChecks }) => {
      const bad = errors.filter(({ errno }) => errno !== null && !allowedErrnos.includes(errno));
      const untold = failedChecks > 0 && errors.length === 0 ? [`${failedChecks} checks failed`] : [];
      return [...lines(bad), ...untold];
    },
  },
  {
    id: 5,
    holds: 'the mount lives, with the device number it had',
    broken: ({ before, after }) =>
      when(
        after.device === undefined || after.device !== before.device,
        `the mount is ${after.device ?? 'gone'}, was ${before.device}`,
      ),
  },
  {
    id: 6,
    holds: 'the catalog passes its integrity check',
    broken: ({ after }) => when(after.integrity !== 'ok', after.integrity),
  },
  {
    id: 7,
    holds: 'nothing on the origin has changed',
    broken: ({ before, after }) =>
      when(after.originHash !== before.originHash, 'names, sizes or times on the origin are others'),
  },
  {
    id: 8,
    holds: 'nothing fails but what was made to fail',
    broken: ({ log }) => [
      ...log.crashes.slice(0, mostShown),
      ...log.failures.filter((failure) => !injected(failure)).map(({ id, message }) => `${id}: ${message}`),
      ...log.gaveUp.map((id) => `${id} gave up`),
    ],
  },
  {
    id: 9,
    holds: 'when it is quiet nothing waits, nothing is open, and the descriptors are those of the start ±5',
    broken: ({ before, after, mayStayOpen }) => [
      ...when(after.waitingMessages > 0, `${after.waitingMessages} messages wait`),
      ...when(
        after.openHandles > mayStayOpen,
        `${after.openHandles} handles are open, may be ${mayStayOpen}`,
      ),
      ...when(after.isScanning, 'a scan runs'),
      ...when(
        Math.abs(after.descriptors - before.descriptors) > descriptorSlack,
        `${after.descriptors} descriptors, were ${before.descriptors}`,
      ),
      ...when(
        after.keeperDescriptors > before.keeperDescriptors + descriptorSlack,
        `the keeper has ${after.keeperDescriptors} descriptors, had ${before.keeperDescriptors}`,
      ),
    ],
  },
  {
    id: 10,
    holds: 'the daemon stays below 500 MB and the keeper below 60 MB',
    broken: ({ mostMb: { daemon, keeper } }) => [
      ...when(daemon >= daemonMb, `the daemon took ${daemon} MB`),
      ...when(keeper >= keeperMb, `the keeper took ${keeper} MB`),
    ],
  },
  {
    id: 11,
    holds: 'as many restarts as faults',
    broken: ({ log, expectedRestarts, kills, before, after }) => [
      ...when(log.deaths !== kills, `the daemon died ${log.deaths} times, was killed ${kills} times`),
      ...[...new Set([...expectedRestarts.keys(), ...log.failures.map(({ id }) => id)])].flatMap((id) => {
        const seen = log.failures.filter((failure) => failure.id === id).length;
        const expected = expectedRestarts.get(id) ?? 0;
        return when(seen !== expected, `${id} failed ${seen} times, was made to ${expected} times`);
      }),
      ...when(after.keeperPid !== before.keeperPid, `the keeper was ${before.keeperPid}`),
    ],
  },
  {
    id: 12,
    holds: 'a scan parses no more than its files and a batch for each kill',
    broken: ({ parses: { seen, allowed } }) => when(seen > allowed, `${seen} parses, ${allowed} allowed`),
  },
  { id: 13, holds: 'nothing else was seen to be wrong', broken: ({ broken }) => broken },
];

/** One line for each broken invariant's finding. */
export function brokenInvariants(evidence: Evidence): string[] {
  return invariants.flatMap(({ id, holds, broken }) =>
    broken(evidence).map((what) => `invariant ${id} (${holds}): ${what}`),
  );
}
