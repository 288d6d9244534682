// Every failpoint there is: its name, the thread that passes the place, and what a setting may do there. A setting that
// a place cannot honour is refused, as one that does nothing would prove nothing.

export type FailpointActionType = 'crash' | 'error' | 'abort' | 'hang' | 'delay' | 'corrupt' | 'deny';
/** Who checks it; a setting is told to that thread or process as well as to the main side. */
export type FailpointThread = 'main' | 'fuse' | 'fetch' | 'catalog-writer' | 'parser';

export interface FailpointPlace {
  readonly thread: FailpointThread;
  readonly actions: readonly FailpointActionType[];
  /** What `;only=TEXT` is compared with; null: the place names no subject. */
  readonly subject: 'actor' | 'node' | 'path' | 'method' | 'origin' | null;
}

const failing = ['crash', 'error', 'abort'] as const;
const failingOrHanging = [...failing, 'hang'] as const;
const failingOrWaiting = [...failing, 'hang', 'delay'] as const;

const place = (
  thread: FailpointThread,
  actions: readonly FailpointActionType[],
  subject: FailpointPlace['subject'] = null,
): FailpointPlace => ({ thread, actions, subject });

/** `<id>` stands for an actor's id in the supervision tree. Names are unique for ever. */
const places = {
  'actor.<id>.start': place('main', failingOrWaiting),
  'actor.<id>.handle': place('main', failingOrWaiting),
  // A ping that is not answered, while everything else is.
  'actor.<id>.heartbeat': place('main', failingOrHanging),
  'supervisor.before-restart': place('main', ['abort', 'delay'], 'actor'),
  // Blocks the main thread before the next turn of an actor.
  'main.block': place('main', ['delay']),
  'lock.acquire': place('main', [...failing, 'delay']),
  'control.handle': place('main', failingOrWaiting, 'method'),
  'origin.list': place('main', failingOrWaiting, 'path'),
  'origin.stat': place('main', failingOrWaiting, 'path'),
  'origin.probe': place('main', failingOrWaiting, 'origin'),
  'origin.read.open': place('fuse', failingOrWaiting, 'node'),
  'origin.read.body': place('fuse', [...failingOrWaiting, 'corrupt'], 'node'),
  // A read that the fetch thread was asked for, before it looks for the bytes.
  'fetch.read': place('fetch', failingOrWaiting, 'node'),
  'scan.walk': place('main', failingOrWaiting, 'path'),
  'scan.batch.after': place('main', failing),
  // A playlist before it is asked for at its origin; one that was made of it, before it is kept.
  'playlists.read': place('main', failingOrWaiting, 'path'),
  'playlists.store': place('main', failing),
  // A file in which a picture is looked for, before it is fetched or opened; a file that was made of it, before it is kept.
  'artwork.extract': place('main', failingOrWaiting, 'path'),
  'artwork.store': place('main', failingOrWaiting),
  'parser.file': place('parser', failingOrWaiting),
  'catalog.migrate': place('catalog-writer', failing),
  'catalog.commit.before': place('catalog-writer', failing),
  'catalog.commit.after': place('catalog-writer', failing),
  'catalog.checkpoint': place('catalog-writer', failing),
  // An error is what SQLite would say of a disk that fails.
  'catalog.read': place('fuse', failing),
  'fuse.init.before-reply': place('fuse', failingOrWaiting),
  // As a kernel before Linux 6.9, which sends nothing twice.
  'fuse.init.resend': place('fuse', ['deny']),
  'fuse.adopt.before-resend': place('fuse', failing),
  'fuse.thread.loop': place('fuse', failingOrHanging),
  // An error is what read(2) on the device fails with: its errno.
  'fuse.session.read': place('fuse', failing),
  'fuse.request.decoded': place('fuse', failing, 'node'),
  'fuse.open.passthrough': place('fuse', failing),
  'fuse.read.before-reply': place('fuse', failingOrHanging, 'node'),
  'fuse.notify.before-write': place('main', failing),
  // A chunk on its way to the disk, group by group.
  'cas.put.before-write': place('fetch', failingOrWaiting),
  'cas.put.before-fsync': place('fetch', failingOrWaiting),
  'cas.put.before-rename': place('fetch', failingOrWaiting),
  'cas.put.before-index': place('fetch', failingOrWaiting),
  'cas.evict.before-unlink': place('fetch', failingOrWaiting),
  'manifest.store.before-commit': place('fetch', failing),
  'cache.probe': place('fetch', failingOrWaiting),
  // A chunk file that is read to be served.
  'cas.get.read': place('fuse', failingOrWaiting),
  'cas.get.corrupt': place('fuse', ['corrupt']),
  // An error is what SQLite would say of a disk that fails.
  'manifest.load': place('fuse', failing),
  // The mount answers no probe; nobody is told that all is well.
  'watchdog.probe': place('main', ['deny']),
  'watchdog.ping': place('main', ['deny']),
} as const satisfies Readonly<Record<string, FailpointPlace>>;

export const failpointNames = Object.keys(places);

const patterns = Object.entries<FailpointPlace>(places).map(([known, at]) => ({
  pattern: new RegExp(`^${known.replaceAll('.', '\\.').replace('<id>', '[a-z0-9./-]+')}$`),
  at,
}));

/** The place of that name, or undefined when there is none. */
export function failpointPlace(name: string): FailpointPlace | undefined {
  return patterns.find(({ pattern }) => pattern.test(name))?.at;
}
