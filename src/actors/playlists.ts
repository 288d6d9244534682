// The actor that shows the playlists of origins: it has their bytes brought, the catalog asked what their entries are called
// in the tree, and the result shown. In the background, after a scan or a change of the layout.
//
// Owns: copies of the playlists, so that an origin that is down takes none away. Loses on restart: the pass it is at; what
// the catalog was told stays. Parked when it gives up: playlists are shown as they were.
// Mailbox: hints that the library has changed; further ones are dropped.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PlaylistFile } from '../catalog/publication.ts';
import type { PlaylistSource, RenderedPlaylist } from '../catalog/render-playlists.ts';
import { libraryLimits } from '../library/library-limits.ts';
import { realPathText } from '../library/real-path.ts';
import type { MadeStore } from '../made/made-store.ts';
import { codeOf, type ErrorCode, MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import { askWriter, catalogWriter } from './catalog-writer.ts';
import type { IndexedOrigin } from './indexer.ts';
import type { StatusBoard } from './status-board.ts';

export type PlaylistsMessage =
  /** Something in the tree is called otherwise, or a playlist has changed. */
  | { readonly type: 'library-changed' }
  /** A scan ended. */
  | { readonly type: 'scanned'; readonly hasChanged: boolean }
  | { readonly type: 'look' }
  | { readonly type: 'pass-ended'; readonly error: unknown };

export interface PlaylistsOptions {
  readonly origins: readonly IndexedOrigin[];
  /** A directory of ours for copies. */
  readonly copiesDirectory: string;
  readonly store: MadeStore;
  /** In a thread of its own. */
  readonly render: (
    sources: readonly PlaylistSource[],
    signal: AbortSignal,
  ) => Promise<readonly RenderedPlaylist[]>;
  readonly board: StatusBoard;
  readonly failpoints: Failpoints;
}

interface State {
  readonly isRunning: boolean;
  readonly isChanged: boolean;
  /** Undoes the next look, if one is to come. */
  readonly cancelLook: () => void;
}

/** After a start, and after a change: others often follow. */
const quietMs = 2_000;
/** An origin was away, or a disk was full. */
const againMs = 60_000;
const readMs = 130_000;

/** What an origin says of a file that it will not give, now or later. */
const forGood: ReadonlySet<ErrorCode> = new Set(['not_found', 'permission_denied', 'version_gone']);

export const playlists = actorRef<PlaylistsMessage>('playlists');

export function playlistsSpec(options: PlaylistsOptions): ActorSpec<PlaylistsMessage, State> {
  return actorSpec({
    ref: playlists,
    start: (context) => startLife(context, options),
    onGiveUp: 'park',
    shutdownMs: 2_000,
    mailbox: { overflow: 'drop-newest' },
    critical: false,
  });
}

function startLife(
  context: ActorContext<PlaylistsMessage>,
  options: PlaylistsOptions,
): ActorLife<State, PlaylistsMessage> {
  const cancelFirst = context.scope.timer(quietMs, { type: 'look' });
  return {
    initialState: () => ({ isRunning: false, isChanged: false, cancelLook: cancelFirst }),
    handle(state, message) {
      switch (message.type) {
        case 'scanned':
          if (!message.hasChanged) return state;
          return state.isRunning ? { ...state, isChanged: true } : wait(state, quietMs);
        case 'library-changed':
          return state.isRunning ? { ...state, isChanged: true } : wait(state, quietMs);
        case 'look':
          // Names are still changing.
          if (state.isRunning) return state;
          return options.board.scan.isRunning ? wait(state, quietMs) : begin(state);
        case 'pass-ended':
          return ended(state, message.error);
      }
    },
  };

  function wait(state: State, ms: number): State {
    state.cancelLook();
    return { ...state, cancelLook: context.scope.timer(ms, { type: 'look' }) };
  }

  function begin(state: State): State {
    showPlaylists(options, context).then(
      () => context.self.tell({ type: 'pass-ended', error: null }),
      (error: unknown) => context.self.tell({ type: 'pass-ended', error }),
    );
    return { ...state, isRunning: true, isChanged: false };
  }

  function ended(state: State, error: unknown): State {
    const idle = { ...state, isRunning: false };
    if (error !== null) {
      if (codeOf(error) === 'internal') throw error;
      context.log.warn({ event: 'playlists_put_off', code: codeOf(error), error: messageOf(error) });
      return wait(idle, againMs);
    }
    context.workDone();
    return state.isChanged ? wait(idle, quietMs) : idle;
  }
}

/** One pass over all playlists. Rejects when one of them cannot be had now: none is taken away because of that. */
async function showPlaylists(
  options: PlaylistsOptions,
  { signal, log }: Pick<ActorContext<PlaylistsMessage>, 'signal' | 'log'>,
): Promise<void> {
  const files = await askWriter(catalogWriter, { type: 'playlists' }, signal);
  if (files.length > 0) await mkdir(options.copiesDirectory, { recursive: true, mode: 0o700 });
  const sources: PlaylistSource[] = [];
  let bytesInAll = 0;
  for (const file of files) {
    const bytes = await bytesOf(file, options, signal).catch((error: unknown) => {
      if (!forGood.has(codeOf(error))) throw error;
      log.warn({ event: 'playlist_refused', path: realPathText(file.path), error: messageOf(error) });
      return null;
    });
    if (bytes === null) continue;
    bytesInAll += bytes.length;
    if (bytesInAll > limits.playlistBytesInAll) {
      log.warn({ event: 'playlists_left_out', from: realPathText(file.path) });
      break;
    }
    sources.push({ originName: file.origin, originRoot: file.originRoot, path: file.path, bytes });
  }
  await removeCopiesBut(files, options.copiesDirectory);
  const rendered = sources.length === 0 ? [] : await options.render(sources, signal);
  const made = [];
  for (const { name, bytes } of rendered) {
    options.failpoints.check('playlists.store');
    made.push({ name, ...(await options.store.put(bytes, signal)), isListed: true });
  }
  await askWriter(catalogWriter, { type: 'show-playlists', files: made }, signal);
}

/** From our copy, or from its origin. */
async function bytesOf(
  file: PlaylistFile,
  { origins, copiesDirectory, failpoints }: PlaylistsOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const copy = path.join(copiesDirectory, copyNameOf(file));
  const kept = await readFile(copy).catch(() => null);
  if (kept !== null) return kept;
  await failpoints.pass('playlists.read', file.path, signal);
  const lane = origins.find(({ id }) => id === file.origin)?.lane;
  if (lane === undefined) return new Uint8Array(); // its origin is not of this configuration
  const mostBytes = libraryLimits.playlistBytes;
  const bytes = await lane.ask<Uint8Array>((reply) => ({ type: 'read', file, mostBytes, reply }), {
    timeoutMs: readMs,
    signal,
  });
  try {
    await writeFile(`${copy}.new`, bytes, { mode: 0o600 });
    await rename(`${copy}.new`, copy);
  } catch (error) {
    throw new MusicfsError('unavailable', `a playlist cannot be kept: ${messageOf(error)}`, { cause: error });
  }
  return bytes;
}

function copyNameOf({ node, version }: PlaylistFile): string {
  return `${node}.${version}`;
}

async function removeCopiesBut(files: readonly PlaylistFile[], directory: string): Promise<void> {
  const kept = new Set(files.map(copyNameOf));
  const names = await readdir(directory).catch(() => []);
  await Promise.all(
    names
      .filter((name) => !kept.has(name))
      .map((name) => rm(path.join(directory, name), { force: true }).catch(() => undefined)),
  );
}
