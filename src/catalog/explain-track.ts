// Why a file of the tree is where it is, for `musicfs explain`: the rows of one track, and library/explain put in words.
// Called by the look thread; reads the catalog, changes nothing.
import type Database from 'better-sqlite3';
import { type Explanation, explain, type SuffixReason } from '../library/explain.ts';
import { type GroupTrack, groupCountsOf, type NoGuessReason } from '../library/folder-guess.ts';
import { realPath, realPathText } from '../library/real-path.ts';
import type { RenderNote } from '../library/render-notes.ts';
import { snakeCase } from '../library/template-fields.ts';
import type { TrackState } from '../library/track-facts.ts';
import type { TrackTags } from '../library/track-tags.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { AlbumRows } from './album-rows.ts';
import type { Settled } from './folder-groups.ts';
import { Locations } from './locations.ts';
import type { MadeKind } from './made-rows.ts';
import type { Layout } from './placer.ts';
import { rootNodeId } from './schema.ts';
import { TreePaths } from './tree-paths.ts';
import { type DirectoryEntry, TreeReader } from './tree-reader.ts';

export interface ExplainedTrack {
  /** Where it is listed now. */
  readonly path: string;
  /** Empty, as the real path, for what musicfs made itself. */
  readonly originId: string;
  readonly realPath: string;
  readonly state: TrackState | 'made';
  /** Why it failed; empty otherwise. */
  readonly reason: string;
  readonly holders: readonly string[];
  /** In the order in which they were applied. */
  readonly rules: readonly { readonly id: string; readonly text: string }[];
  readonly tags: readonly { readonly field: string; readonly values: readonly string[] }[];
}

interface Row {
  readonly originName: string;
  readonly realPath: Buffer;
  readonly state: TrackState;
  readonly reason: string | null;
  readonly audioFp: string | null;
  readonly groupKey: string | null;
  readonly settled: string | null;
  readonly tags: string;
  readonly albumKey: string;
  readonly addedAt: number | null;
  readonly multiDisc: number | null;
}

/** Throws `not_found` for a path that leads to no file, `invalid_argument` for that of a directory. */
export function explainTrack(database: Database.Database, path: string, layout: Layout): ExplainedTrack {
  const reader = new TreeReader(database);
  const parts = path.split('/').filter((part) => part !== '');
  let at: { readonly id: number; readonly isDirectory: boolean } | DirectoryEntry | undefined =
    reader.node(rootNodeId);
  for (const part of parts) at = at === undefined ? undefined : reader.lookup(at.id, part);
  if (at === undefined) throw new MusicfsError('not_found', `${path} is not in the library`);
  if (at.isDirectory)
    throw new MusicfsError('invalid_argument', `${path} is a directory: ask about one of its files`);
  const row = database
    .prepare<unknown[], Row>(
      `SELECT o.name AS originName, t.real_path AS realPath, t.state, t.reason, t.audio_fp AS audioFp,
              t.group_key AS groupKey, t.settled, t.tags, t.album_key AS albumKey,
              t.added_at AS addedAt, a.multi_disc AS multiDisc
       FROM tracks t JOIN origins o ON o.id = t.origin LEFT JOIN albums a ON a.key = t.album_key WHERE t.node = ?`,
    )
    .get(at.id);
  const listed = new TreePaths(database).of(at.id);
  const made = row === undefined ? madeOf(database, at.id) : undefined;
  if (made !== undefined) return { ...bare, path: listed ?? parts.join('/'), state: 'made', rules: [made] };
  if (row === undefined || listed === null)
    throw new MusicfsError('not_found', `${path} is not in the library`);
  const names = listed.split('/');
  const tags = JSON.parse(row.tags) as TrackTags; // written by TrackRows
  const file = realPath(row.realPath.toString('latin1'));
  if (row.state === 'sidecar') {
    return {
      ...bare,
      path: listed,
      originId: row.originName,
      realPath: realPathText(file),
      state: row.state,
      holders: [row.originName],
      rules: [{ id: 'sidecar', text: 'it follows the music of its folder' }],
    };
  }
  const settled = row.settled === null ? {} : (JSON.parse(row.settled) as Settled); // written by FolderGroups
  const group = row.groupKey === null ? [] : membersOf(database, row.groupKey);
  const explanation = explain(
    {
      track: {
        originId: row.originName,
        realPath: file,
        tags,
        state: row.state,
        addedAtSeconds: row.addedAt,
      },
      album: { ...settled, multiDisc: row.multiDisc === 1 },
      counts:
        group.length === 0 || group.length > limits.groupTracks ? null : groupCountsOf(group, layout.library),
      namesakes: new AlbumRows(database, layout.library).namesakesOf(row.albumKey),
      audioFp: row.audioFp,
      listed: { directories: names.slice(0, -1), file: names.at(-1) ?? '' },
    },
    layout.template,
    layout.library,
  );
  const version = reader.node(at.id)?.version ?? 0;
  return {
    path: listed,
    originId: row.originName,
    realPath: realPathText(file),
    state: row.state,
    reason: row.reason ?? '',
    holders: new Locations(database).holders(at.id, version).map(({ originName }) => originName),
    rules: rulesOf(explanation, layout),
    tags: tagsOf(tags),
  };
}

const bare = { originId: '', realPath: '', reason: '', holders: [], tags: [] };

const madeTexts: Readonly<Record<MadeKind, string>> = {
  art: 'made of a picture of its album, from a file beside the music or from tags',
  playlist: 'made of a playlist of an origin, with the paths of the tree',
};

/** Why a file is there that musicfs made itself; undefined for any other. */
function madeOf(database: Database.Database, node: number): { id: string; text: string } | undefined {
  const kind = database
    .prepare<unknown[], MadeKind>('SELECT kind FROM made_files WHERE node = ? LIMIT 1')
    .pluck()
    .get(node);
  return kind === undefined ? undefined : { id: kind, text: madeTexts[kind] };
}

function membersOf(database: Database.Database, groupKey: string): GroupTrack[] {
  return database
    .prepare<unknown[], { realPath: Buffer; tags: string }>(
      `SELECT real_path AS realPath, tags FROM tracks WHERE group_key = ? AND removed_at IS NULL LIMIT ?`,
    )
    .all(groupKey, limits.groupTracks + 1)
    .map(({ realPath: bytes, tags }) => ({
      realPath: realPath(bytes.toString('latin1')),
      tags: JSON.parse(tags) as TrackTags, // written by TrackRows
    }));
}

function rulesOf(explanation: Explanation, { template }: Layout): { id: string; text: string }[] {
  const { unsorted, pathField, albumArtist, outvoted, missing, replaced, cut, suffixes } = explanation;
  if (unsorted !== null) {
    const why =
      unsorted === 'failed' ? 'the file could not be read' : 'it has neither artist, album nor title';
    return [
      { id: 'unsorted', text: `its own path is shown, as ${why}` },
      ...replaced.map(noteText),
      ...suffixes.map(suffixText),
    ];
  }
  if (pathField !== null) {
    const { field, value } = pathField;
    return [
      { id: 'path_field', text: `its tag ${field} says where it belongs: "${value}"` },
      ...[...replaced, ...cut].map(noteText),
      ...suffixes.map(suffixText),
    ];
  }
  const { rule, name, source, group, settledBy } = albumArtist;
  const said = source === null ? '' : `: ${source.field} says "${source.value}"`;
  const rules: { id: string; text: string }[] = [{ id: rule, text: `filed under "${name}"${said}` }];
  if (group !== null) {
    const { counts, noGuess } = group;
    const shares = counts.commonest.map((artist) => `${artist.name} (${artist.tracks})`).join(', ');
    rules.push({
      id: 'aa5',
      text: `${counts.tracks} files of its folder have this album; artists: ${shares === '' ? 'none' : shares}${noGuess === null ? '' : `; no guess, as ${guessTexts[noGuess]}`}`,
    });
  }
  if (settledBy !== null)
    rules.push({
      id: rule,
      text:
        settledBy.value === null
          ? `a tag ${settledBy.field} would settle it`
          : `a tag ${settledBy.field} would settle it, for example "${settledBy.value}"`,
    });
  for (const { field, own, shared } of outvoted)
    rules.push({
      id: 'shared',
      text: `${field} is ${quoted(shared)} as for most of its folder; the file says ${quoted(own)}`,
    });
  rules.push({ id: 'template', text: template.source });
  return [...rules, ...[...missing, ...replaced, ...cut].map(noteText), ...suffixes.map(suffixText)];
}

const guessTexts: Readonly<Record<NoGuessReason, string>> = {
  off: 'it is switched off (library.guess_compilations)',
  few_tracks: 'they are fewer than three',
  decided: 'some of them say whose the album is',
  vetoed: 'one of them says that it is no compilation',
  no_artist: 'none of them names an artist',
  unclear: 'too few of them name one',
};

function noteText(note: RenderNote): { id: string; text: string } {
  switch (note.type) {
    case 'missing': {
      const { instead } = note;
      const text = {
        default: () => (instead.type === 'default' ? `"${instead.text}" stands for it` : ''),
        alternative: () => (instead.type === 'alternative' ? `"${instead.text}" stands for it` : ''),
        section_dropped: () => 'its <…> is left out',
        nothing: () => 'nothing stands for it',
      }[instead.type]();
      return { id: 'missing', text: `$${note.variable} is missing: ${text}` };
    }
    case 'replaced': {
      const what = note.variable === null ? 'the template' : `$${note.variable}`;
      return { id: 'name', text: `"${note.before}" of ${what} is written "${note.after}"` };
    }
    case 'shaped':
    case 'reserved':
      return { id: 'name', text: `"${note.before}" is written "${note.after}"` };
    case 'cut':
      return {
        id: 'name',
        text: `"${note.after}" was cut from ${note.bytesBefore} to ${note.bytesAfter} bytes`,
      };
  }
}

function suffixText({ before, after, reason, isCut }: SuffixReason): { id: string; text: string } {
  const why = {
    other_album: 'another album has that name',
    same_name: 'another file had that name first',
    same_audio: 'a file with the same audio has that name',
    audio_unknown: 'another file had that name first',
    other_spelling: 'the directory exists in that spelling',
    name_taken: 'something else has that name',
    not_yet_moved: 'it has not been moved yet',
  }[reason.type];
  return {
    id: 'suffix',
    text: `"${before}" is listed as "${after}": ${why}${isCut ? ', and room was needed' : ''}`,
  };
}

function quoted(value: string | null): string {
  return value === null ? 'nothing' : `"${value}"`;
}

function tagsOf({ custom = {}, ...tags }: TrackTags): { field: string; values: string[] }[] {
  const own = Object.entries(tags).map(([field, value]) => ({
    field: snakeCase(field),
    values: (Array.isArray(value) ? value : [value]).map(String),
  }));
  return [
    ...own,
    ...Object.entries(custom).map(([key, values]) => ({ field: `custom_${key}`, values: [...values] })),
  ];
}
