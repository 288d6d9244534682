// A daemon that exists in memory only, behind a real control server. It records what it was asked and lets a test
// decide how a scan goes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  CachePort,
  CacheReport,
  ControlPort,
  FailpointPort,
  LibraryPort,
  RescanRequest,
  ScanProgress,
  ShutdownMode,
  StatusReport,
  SupervisionNode,
} from '../../../src/control/daemon-port.ts';
import { type ControlServer, startControlServer } from '../../../src/control/server.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { Failpoints } from '../../../src/platform/failpoints.ts';
import { silentLogger } from '../../../src/platform/logger.ts';

export const sampleStatus: StatusReport = {
  pid: 4711,
  version: '0.1.0',
  mountPoint: '/mnt/music',
  state: 'ready',
  driver: 'kernel',
  tracks: 1_234,
  files: 1_240,
  directories: 310,
  uptimeSeconds: 11_520.5,
  scan: {
    running: false,
    complete: true,
    done: 1_240,
    total: 1_240,
    errors: 0,
    phase: 'done',
    filesPerSecond: 0,
    parsed: 0,
  },
  warnings: ['origin local-2 is empty'],
  socket: '/run/musicfs/music-1/control.sock',
  stateDirectory: '/var/lib/musicfs/music-1',
  keptBy: 'keeper',
  incarnation: 2,
  session: { adopted: true, resend: true, kernelFeatures: ['passthrough'], openHandles: 0 },
  process: { rssBytes: 9_876_543_210 },
  origins: [{ id: 'local', kind: 'local', root: '/srv/music', files: 1_240, state: 'healthy' }],
  fuse: {
    requests: { lookup: 12, getattr: 0, read: 5_000_000_000 },
    notifications: 3,
    statements: 45,
    passthroughOpens: 6,
    bytesFetched: 0,
    bytesRead: 7_000,
  },
  supervision: { restartsTotal: 2 },
  program: '/opt/musicfs',
};

const quiet = {
  incarnation: 1,
  restartsTotal: 0,
  restartsInWindow: 0,
  busyMs: 0,
  handledTotal: 0,
  critical: false,
};
const budget = { max: 5, resetAfterMs: 300_000 };

export const sampleTree: SupervisionNode = {
  ...quiet,
  path: 'root',
  id: 'root',
  kind: 'supervisor',
  strategy: 'rest_for_one',
  state: 'running',
  budget,
  children: [
    {
      ...quiet,
      path: 'root/library',
      id: 'library',
      kind: 'supervisor',
      strategy: 'one_for_one',
      state: 'running',
      budget,
      children: [
        {
          ...quiet,
          path: 'root/library/indexer',
          id: 'indexer',
          kind: 'actor',
          state: 'backoff',
          incarnation: 3,
          startedMs: 1_700_000_000_000,
          restartsTotal: 2,
          restartsInWindow: 1,
          budget,
          nextRestartMs: 1_700_000_060_000,
          lastError: { code: 'internal', message: 'boom', atMs: 1_700_000_050_000, count: 2 },
          mailbox: { depth: 0, limit: 256, highWater: 7, oldestMs: 0, dropped: 0 },
          heartbeatAgeMs: 12.5,
          children: [],
        },
      ],
    },
    {
      ...quiet,
      path: 'root/serving',
      id: 'serving',
      kind: 'supervisor',
      strategy: 'rest_for_one',
      state: 'running',
      children: [],
    },
  ],
};

export function progress(part: Partial<ScanProgress> = {}): ScanProgress {
  return {
    phase: 'listing',
    done: 0,
    total: 0,
    filesPerSecond: 0,
    added: 0,
    changed: 0,
    moved: 0,
    removed: 0,
    held: 0,
    errors: 0,
    ...part,
  };
}

export interface FakeDaemon {
  readonly port: ControlPort;
  readonly rescans: RescanRequest[];
  readonly shutdowns: ShutdownMode[];
  readonly restarts: (string | null)[];
  /** What status() says; may be replaced. */
  report: StatusReport;
  /** How a scan goes; by default two steps and the end. */
  scan: (request: RescanRequest, signal: AbortSignal) => AsyncIterable<ScanProgress>;
  /** Called on shutdown. */
  onShutdown: () => void;
}

export function createFakeDaemon({ failpoints = false }: { failpoints?: boolean } = {}): FakeDaemon {
  const fake: FakeDaemon = {
    rescans: [],
    shutdowns: [],
    restarts: [],
    report: sampleStatus,
    async *scan() {
      yield progress({ phase: 'listing', total: 2 });
      yield progress({
        phase: 'parsing',
        done: 1,
        total: 2,
        filesPerSecond: 10,
        etaSeconds: 0.1,
        currentPath: 'a.flac',
      });
      yield progress({ phase: 'done', done: 2, total: 2, added: 2 });
    },
    onShutdown() {},
    port: {
      status: () => fake.report,
      supervision: () => sampleTree,
      rescan(request, signal) {
        fake.rescans.push(request);
        if (request.originId === 'nowhere') {
          throw new MusicfsError('not_found', 'no origin nowhere: musicfs status lists them');
        }
        return fake.scan(request, signal);
      },
      cache: fakeCache,
      library: fakeLibrary,
      cancelScan: async (originId) => originId !== 'idle',
      restart: (program) => {
        fake.restarts.push(program);
        return Promise.resolve();
      },
      shutdown(mode) {
        fake.shutdowns.push(mode);
        fake.onShutdown();
      },
      ...(failpoints ? { failpoints: failpointPort() } : {}),
    },
  };
  return fake;
}

function failpointPort(): FailpointPort {
  const registry = new Failpoints(true);
  return {
    list: () => registry.list(),
    set: async (setting) => registry.set(setting),
    clear: async () => registry.clear(),
  };
}

export interface RunningControl extends AsyncDisposable {
  readonly socketPath: string;
  /** Where XDG_RUNTIME_DIR points to in a child. */
  readonly directory: string;
  readonly server: ControlServer;
}

/** A server in a folder of its own; `await using` closes it and removes the folder. */
export async function serve(port: ControlPort, below = 'control'): Promise<RunningControl> {
  const directory = mkdtempSync(path.join(tmpdir(), 'musicfs-control-'));
  const socketPath = path.join(directory, below, 'control.sock');
  const server = await startControlServer({ port, socketPath, log: silentLogger });
  return {
    socketPath,
    directory,
    server,
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const fakeLibrary: LibraryPort = {
  async explain(path) {
    if (path !== 'A/B/01.flac') throw new MusicfsError('not_found', `${path} is not in the library`);
    return {
      ...{ path, originId: 'nas', realPath: 'b/\u001b[31m1.flac', state: 'ok', reason: '' },
      holders: ['nas', 'copy'],
      rules: [
        { id: 'aa2', text: 'filed under "A": album_artist says "A"' },
        { id: 'template', text: 'default' },
      ],
      tags: [
        { field: 'album_artist', values: ['A'] },
        { field: 'artists', values: ['A', 'B'] },
      ],
    };
  },
  async previewTemplate({ template, examples }) {
    if (template.includes('$$$'))
      throw new MusicfsError('invalid_argument', 'template, column 3: no such name');
    return {
      tracks: 1_234,
      changed: 2,
      colliding: 2,
      examples: [{ before: 'A/B/01.flac', after: 'B/01.flac' }].slice(0, examples),
      collisions: [{ path: 'B/01.flac', realPaths: ['nas:a/1.flac', 'nas:b/\u001b[31m1.flac'] }],
      longestName: '01.flac',
      longestNameBytes: 7,
    };
  },
};

const fakeCache: CachePort = {
  stats: async () => sampleCache,
  clear: async ({ path }) => (path === undefined ? { bytes: 300, chunks: 3 } : { bytes: 100, chunks: 1 }),
  async *verify({ repair }) {
    const found = { bad: 1, missing: 2, orphans: 3, repaired: repair ? 6 : 0 };
    yield { share: 0.5, checked: 5, ...found, repaired: 0, done: false, clean: false };
    yield { share: 1, checked: 10, ...found, done: true, clean: repair };
  },
  pins: async () => [{ path: 'Artist', tracks: 2, heldTracks: 1, bytes: 20, heldBytes: 15 }],
  async addPin(path) {
    if (path === 'nowhere') throw new MusicfsError('not_found', 'nowhere is not in the library');
    return path !== 'Artist';
  },
  removePin: async (path) => path === 'Artist',
  async *prefetch(paths) {
    const sum = { total: paths.length, completed: 0, bytesFetched: 0, skipped: 0, failed: 0 };
    for (const [index, currentPath] of paths.entries()) yield { ...sum, completed: index, currentPath };
    yield { ...sum, completed: paths.length, bytesFetched: 7_000 };
  },
};

export const sampleCache: CacheReport = {
  mode: 'no_writes',
  cause: 'the disk is full',
  limitBytes: 1_000,
  storedBytes: 600,
  storedChunks: 6,
  logicalBytes: 1_200,
  sharedShare: 0.5,
  completeFiles: 1,
  partialFiles: 2,
  pinnedBytes: 300,
  hits: 30,
  misses: 10,
  bytesFromCache: 4_000,
  bytesFromOrigins: 2_000,
  evictedBytes: 100,
  evictedChunks: 1,
  corruptChunks: 2,
  collisions: 0,
  origins: [{ originId: 'nas', logicalBytes: 1_200, completeFiles: 1, partialFiles: 2, pinnedBytes: 300 }],
};
