// A thread of one look at the library for the control API: what another template would make of it, why a file is where it
// is. Both may read every track, so neither runs where anybody waits. Answers once and ends.
import { parentPort, workerData } from 'node:worker_threads';
import xxhash from 'xxhash-wasm';
import type { LibrarySettings } from '../library/library-options.ts';
import { parseTemplate } from '../library/template.ts';
import { codeOf, type ErrorCode, MusicfsError, messageOf } from '../platform/errors.ts';
import { type ExplainedTrack, explainTrack } from './explain-track.ts';
import { openCatalogForReading } from './open-catalog.ts';
import { previewTemplate, type TemplatePreview } from './preview-template.ts';
import { type PlaylistSource, type RenderedPlaylist, renderPlaylists } from './render-playlists.ts';

export type LookTask = {
  readonly catalogPath: string;
  readonly library: LibrarySettings;
} & (
  | { readonly what: 'preview'; readonly template: string; readonly examples: number }
  /** A path of the tree. */
  | { readonly what: 'explain'; readonly path: string }
  | { readonly what: 'playlists'; readonly sources: readonly PlaylistSource[] }
);

export type LookAnswer =
  | { readonly type: 'preview'; readonly preview: TemplatePreview }
  | { readonly type: 'explained'; readonly explained: ExplainedTrack }
  | { readonly type: 'playlists'; readonly playlists: readonly RenderedPlaylist[] }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string };

const collisionsNamed = 50;

async function answerTo(task: LookTask): Promise<LookAnswer> {
  const { h64ToString } = await xxhash();
  const database = openCatalogForReading(task.catalogPath);
  try {
    if (task.what === 'playlists') {
      const { options, playlistMap } = task.library;
      const rendering = { library: options, map: playlistMap, hash: h64ToString };
      return { type: 'playlists', playlists: renderPlaylists(database, task.sources, rendering) };
    }
    const parsed = parseTemplate(task.what === 'preview' ? task.template : task.library.template);
    if (parsed.type === 'refused') {
      throw new MusicfsError('invalid_argument', `template, column ${parsed.column}: ${parsed.reason}`);
    }
    if (task.what === 'explain') {
      const layout = { template: parsed.template, library: task.library.options };
      return { type: 'explained', explained: explainTrack(database, task.path, layout) };
    }
    const preview = previewTemplate(database, {
      layout: { template: parsed.template, library: task.library.options },
      hash: h64ToString,
      examples: task.examples,
      collisions: collisionsNamed,
    });
    return { type: 'preview', preview };
  } finally {
    database.close();
  }
}

// Given by library-look, which is typed.
const answer = await answerTo(workerData as LookTask).catch(
  (error: unknown): LookAnswer => ({ type: 'failed', code: codeOf(error), message: messageOf(error) }),
);
parentPort?.postMessage(answer);
