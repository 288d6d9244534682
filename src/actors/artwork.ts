// The actor that gives albums their pictures: it asks the catalog which of them want one, has it made, and tells the catalog
// where it lies. In the background: one album at a time, and none while a scan runs.
//
// Owns: the processes that take pictures out of files and make them smaller. Loses on restart: the album it is at, and which
// pictures were of no use; what the catalog was told stays. Parked when it gives up: albums show the pictures they have.
// Mailbox: hints that the library has changed; further ones are dropped.
import { rm } from 'node:fs/promises';
import type { ArtFile, ArtOrigins } from '../artwork/brought-files.ts';
import { Extractions } from '../artwork/extractions.ts';
import { makeAlbumArt } from '../artwork/make-album-art.ts';
import { PictureMemory } from '../artwork/picture-memory.ts';
import { Renditions } from '../artwork/renditions.ts';
import type { MadeStore } from '../made/made-store.ts';
import type { ArtworkSettings } from '../platform/artwork-settings.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import type { Failpoints } from '../platform/failpoints.ts';
import { limits } from '../platform/limits.ts';
import { giveMemoryBack } from '../platform/own-resources.ts';
import { parsePicturePriority } from '../platform/picture-priority.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import type { ArtworkCatalog } from './artwork-catalog.ts';
import { type ArtworkPass, nothingDone, runArtworkPass } from './artwork-pass.ts';
import type { IndexedOrigin } from './indexer.ts';
import type { StatusBoard } from './status-board.ts';

export type ArtworkMessage =
  /** A scan ended that changed something. */
  | { readonly type: 'library-changed' }
  | { readonly type: 'look' }
  | { readonly type: 'pass-ended'; readonly pass: ArtworkPass; readonly error: unknown };

export interface ArtworkOptions {
  readonly settings: ArtworkSettings;
  readonly catalog: ArtworkCatalog;
  readonly origins: ArtOrigins;
  /** A directory of ours for copies of files of origins over a network. Emptied at each start. */
  readonly copiesDirectory: string;
  readonly store: MadeStore;
  /** The daemon is root: the processes are nobody. */
  readonly dropPrivileges: boolean;
  readonly board: StatusBoard;
  readonly failpoints: Failpoints;
}

interface State {
  readonly isRunning: boolean;
  /** The library has changed since the pass began: what it went by may want a picture again. */
  readonly isChanged: boolean;
  /** Albums up to that directory have had their turn in this round. */
  readonly after: number;
  readonly putOff: number;
  /** Rounds in a row that left albums for later. */
  readonly failures: number;
  readonly cancelLook: () => void;
}

export const artwork = actorRef<ArtworkMessage>('artwork');

export function artworkSpec(options: ArtworkOptions): ActorSpec<ArtworkMessage, State> {
  return actorSpec({
    ref: artwork,
    start: (context) => startLife(context, options),
    onGiveUp: 'park',
    shutdownMs: 3_000, // both processes are killed at once, and given a second
    mailbox: { overflow: 'drop-newest' },
    critical: false,
  });
}

/** Files of origins, as the indexer has them. */
export function artOriginsOf(origins: readonly IndexedOrigin[]): ArtOrigins {
  const byId = new Map(origins.map((origin) => [origin.id, origin]));
  return {
    rootOf: (id) => byId.get(id)?.root,
    async copy(file: ArtFile, ranges, target, signal) {
      const lane = byId.get(file.origin)?.lane;
      if (lane === undefined) throw new MusicfsError('not_found', `no origin ${file.origin}`);
      await lane.ask<null>((reply) => ({ type: 'copy', file, ranges, target, reply }), {
        timeoutMs: copyMs,
        signal,
      });
    },
  };
}

/** Longer than what the lane waits for the fetch thread. */
const copyMs = 130_000;

async function startLife(
  context: ActorContext<ArtworkMessage>,
  options: ArtworkOptions,
): Promise<ActorLife<State, ArtworkMessage>> {
  await rm(options.copiesDirectory, { recursive: true, force: true });
  const extractions = new Extractions(options.dropPrivileges, context.clock);
  const renditions = new Renditions({ dropPrivileges: options.dropPrivileges, clock: context.clock });
  context.scope.defer(async () => {
    await Promise.all([extractions.close(), renditions.close()]);
  });
  const art = {
    ...{ extractions, renditions, memory: new PictureMemory(), log: context.log },
    ...{ origins: options.origins, copiesDirectory: options.copiesDirectory },
    ...{ store: options.store, failpoints: options.failpoints },
    priority: parsePicturePriority(options.settings.priority),
  };
  const cancelFirst = context.scope.timer(limits.artworkAfterMs, { type: 'look' });

  return {
    initialState: () => ({
      ...{ isRunning: false, isChanged: false, after: 0, putOff: 0, failures: 0 },
      cancelLook: cancelFirst,
    }),
    handle(state, message) {
      switch (message.type) {
        case 'library-changed':
          return state.isRunning ? { ...state, isChanged: true } : begin(anew(state));
        case 'look':
          return state.isRunning ? state : begin(state);
        case 'pass-ended':
          return ended({ ...state, isRunning: false }, message.pass, message.error);
      }
    },
  };

  function begin(state: State): State {
    state.cancelLook();
    let pass = { ...nothingDone, after: state.after };
    const work = async () => {
      for await (const progress of runArtworkPass(pass, {
        catalog: options.catalog,
        settings: options.settings,
        isScanning: () => options.board.scan.isRunning,
        make: (album, away, signal) => makeAlbumArt(album, art, away, signal),
        signal: context.signal,
      })) {
        pass = progress;
        context.workDone();
      }
    };
    work().then(
      () => context.self.tell({ type: 'pass-ended', pass, error: null }),
      (error: unknown) => context.self.tell({ type: 'pass-ended', pass, error }),
    );
    return { ...state, isRunning: true, isChanged: false };
  }

  function ended(state: State, pass: ArtworkPass, error: unknown): State {
    const { made, none, end } = pass;
    const putOff = state.putOff + pass.putOff;
    if (made + none + pass.putOff > 0)
      context.log.info({ event: 'artwork_looked', made, none, put_off: pass.putOff, why: pass.why });
    if (pass.made + pass.none + pass.putOff > 0) context.scope.timer(limits.quietMs, giveMemoryBack);
    if (error !== null) return failed(state, error);
    if (state.isChanged) return begin(anew(state));
    if (end === 'scan') return lookAfter(limits.artworkScanLookMs, { ...state, after: pass.after, putOff });
    return putOff > 0 ? again(state) : anew(state);
  }

  /** Something that concerns every album: the disk for what is made, the catalog, the processes. */
  function failed(state: State, error: unknown): State {
    if (codeOf(error) === 'internal') throw error instanceof Error ? error : new Error(messageOf(error));
    context.log.warn({ event: 'artwork_delayed', code: codeOf(error), error: messageOf(error) });
    return again(state);
  }

  /** The next round is from the beginning, and later each time. */
  function again(state: State): State {
    const delayMs = Math.min(limits.artworkAgainMs * 2 ** state.failures, limits.artworkAgainAtMostMs);
    return lookAfter(delayMs, { ...state, after: 0, putOff: 0, failures: Math.min(state.failures + 1, 16) });
  }

  function lookAfter(delayMs: number, state: State): State {
    return { ...state, cancelLook: context.scope.timer(delayMs, { type: 'look' }) };
  }
}

function anew(state: State): State {
  return { ...state, after: 0, putOff: 0, failures: 0 };
}
