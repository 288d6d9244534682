// Why a track is where it is: what `musicfs explain` prints, as data. Works out the placement anew from the same facts,
// so that it cannot tell another story than the tree, and compares it with the path under which the track is listed.
//
// Called when a person asks, for one track at a time; the command formats, this decides.
import type { AlbumArtistRule } from './album-artist.ts';
import type { SharedFields } from './album-identity.ts';
import { type AlbumDifference, type AlbumLook, type MarkField, markOf, shownFields } from './album-mark.ts';
import { withSuffix } from './collisions.ts';
import { type GroupCounts, type NoGuessReason, noGuessReason } from './folder-guess.ts';
import type { LibraryOptions } from './library-options.ts';
import { foldName, utf8Length } from './names.ts';
import { type AlbumFacts, type Placement, tracePlacement, withAlbumMark } from './placement.ts';
import type { RenderNote } from './render-notes.ts';
import { splitListFields } from './split-values.ts';
import type { Template } from './template.ts';
import { snakeCase } from './template-fields.ts';
import type { TrackFacts, TrackState } from './track-facts.ts';
import type { TrackTags } from './track-tags.ts';

export interface ExplainFacts {
  /** The file, with its own tags. */
  readonly track: TrackFacts;
  readonly album: AlbumFacts;
  /** Of the track's group; null for a track without one. */
  readonly counts: GroupCounts | null;
  /** The look of the track's album and how it differs from others of its name; null when there are none. */
  readonly namesakes: { readonly look: AlbumLook; readonly difference: AlbumDifference } | null;
  /** Content identity in hex; null when there is none. */
  readonly audioFp: string | null;
  /** Where the track is listed. */
  readonly listed: { readonly directories: readonly string[]; readonly file: string };
}

export interface Explanation {
  /** Why the track is below `library.unsorted` with its own path; null when its tags place it. */
  readonly unsorted: Exclude<TrackState, 'ok'> | null;
  /** What the tag `library.path_field` says, which decided instead of the template; null: it says nothing. */
  readonly pathField: { readonly field: string; readonly value: string } | null;
  readonly albumArtist: AlbumArtistReason;
  /** Fields in which the files of the folder outvoted this one. */
  readonly outvoted: readonly Outvoted[];
  readonly missing: readonly Extract<RenderNote, { type: 'missing' }>[];
  /** Characters and names that were made harmless. */
  readonly replaced: readonly Extract<RenderNote, { type: 'replaced' | 'shaped' | 'reserved' }>[];
  readonly cut: readonly Extract<RenderNote, { type: 'cut' }>[];
  /** Names that are not the ones the template gives, with the reason. */
  readonly suffixes: readonly SuffixReason[];
}

export interface AlbumArtistReason {
  readonly rule: AlbumArtistRule;
  readonly name: string;
  /** The tag that decided, by its template name, and what it says; null for aa5 and aa7. */
  readonly source: { readonly field: string; readonly value: string } | null;
  /** What the guess rests on, or why there was none; null when tags decided or the track has no group. */
  readonly group: { readonly counts: GroupCounts; readonly noGuess: NoGuessReason | null } | null;
  /** The tag that would settle it, for aa5 to aa7. `value` is null where only the listener knows. */
  readonly settledBy: { readonly field: string; readonly value: string | null } | null;
}

export interface Outvoted {
  readonly field: string;
  /** Null: the file has none, or the folder agreed on none. */
  readonly own: string | null;
  readonly shared: string | null;
}

/** `before` is the name the template gives, `after` the one that is listed. */
export interface SuffixReason {
  readonly before: string;
  readonly after: string;
  readonly reason: /** Another album has this name; the fields tell them apart, none when only the key does. */
    | { readonly type: 'other_album'; readonly fields: readonly MarkField[] }
    /** Another file of this name, with other audio, was there first. */
    | { readonly type: 'same_name' }
    /** A file with the same audio has the name, or this one's audio is not known: the path tells them apart. */
    | { readonly type: 'same_audio' | 'audio_unknown' }
    /** The directory exists in another spelling. */
    | { readonly type: 'other_spelling' }
    /** Something that is no directory has this name. */
    | { readonly type: 'name_taken' }
    /** The track was listed under other facts and is not yet listed under these. */
    | { readonly type: 'not_yet_moved' };
  /** The name lost its end to make room within 255 bytes. */
  readonly isCut: boolean;
}

export function explain(facts: ExplainFacts, template: Template, options: LibraryOptions): Explanation {
  const { track, album } = facts;
  const { placement, albumArtist, pathField, notes } = tracePlacement(track, album, template, options);
  const tags = splitListFields(track.tags, options);
  const unsorted = track.state === 'failed' ? 'failed' : 'untagged';
  return {
    unsorted: placement.isUnsorted ? unsorted : null,
    pathField: pathField === null ? null : { field: options.pathField, value: pathField },
    albumArtist: albumArtistReason(albumArtist, tags, facts.counts, options),
    outvoted: outvotedFields(tags, album.shared ?? null),
    missing: notes.filter((note) => note.type === 'missing'),
    replaced: notes.filter((note) => note.type !== 'missing' && note.type !== 'cut'),
    cut: notes.filter((note) => note.type === 'cut'),
    suffixes: suffixReasons(placement, facts),
  };
}

function albumArtistReason(
  { rule, name }: { readonly rule: AlbumArtistRule; readonly name: string },
  tags: TrackTags,
  counts: GroupCounts | null,
  options: LibraryOptions,
): AlbumArtistReason {
  const isGuessable = rule === 'aa5' || rule === 'aa6' || rule === 'aa7';
  return {
    rule,
    name,
    source: sourceOf(rule, tags),
    group: isGuessable && counts !== null ? { counts, noGuess: noGuessReason(counts, options) } : null,
    settledBy: isGuessable ? { field: 'album_artist', value: rule === 'aa7' ? null : name } : null,
  };
}

function sourceOf(rule: AlbumArtistRule, tags: TrackTags): AlbumArtistReason['source'] {
  switch (rule) {
    case 'aa2':
      return { field: 'album_artist', value: tags.albumArtist ?? '' };
    case 'aa3':
      return { field: 'album_artists', value: (tags.albumArtists ?? []).join('; ') };
    case 'aa4':
      return tags.compilation === true
        ? { field: 'compilation', value: 'true' }
        : { field: 'mb_album_artist_ids', value: (tags.mbAlbumArtistIds ?? []).join('; ') };
    case 'aa6': {
      const [first] = tags.artists ?? [];
      return first === undefined
        ? { field: 'artist', value: tags.artist ?? '' }
        : { field: 'artists', value: first };
    }
    case 'aa5':
    case 'aa7':
      return null;
  }
}

function outvotedFields(tags: TrackTags, shared: SharedFields | null): readonly Outvoted[] {
  if (shared === null) return [];
  const votes: readonly [field: keyof SharedFields, own: string | undefined][] = [
    ['edition', tags.edition],
    ['catalogNumber', tags.catalogNumber?.[0]],
    ['barcode', tags.barcode],
    ['year', tags.year?.toString()],
    ['mbAlbumId', tags.mbAlbumId],
  ];
  return votes
    .map(([field, own]) => ({
      field: snakeCase(field),
      own: own ?? null,
      shared: shared[field]?.toString() ?? null,
    }))
    .filter(({ own, shared }) => own !== shared);
}

function suffixReasons(placement: Placement, facts: ExplainFacts): readonly SuffixReason[] {
  const { directories, file } = facts.listed;
  const before = [...placement.directories, placement.file].map(({ name }) => name);
  const after = [...directories, file];
  if (before.length !== after.length)
    return [
      { before: before.join('/'), after: after.join('/'), reason: { type: 'not_yet_moved' }, isCut: false },
    ];
  return before.flatMap((name, index): SuffixReason[] => {
    const listed = after[index] ?? '';
    if (name === listed) return [];
    const change = { before: name, after: listed };
    if (index === before.length - 1) return [{ ...change, ...fileReason(change, facts.audioFp) }];
    return [{ ...change, ...directoryReason(change, placement, facts.namesakes) }];
  });
}

type Change = Pick<SuffixReason, 'before' | 'after'>;
type Reason = Omit<SuffixReason, keyof Change>;

const notYetMoved: Reason = { reason: { type: 'not_yet_moved' }, isCut: false };

function directoryReason(
  { before, after }: Change,
  placement: Placement,
  namesakes: ExplainFacts['namesakes'],
): Reason {
  if (foldName(before) === foldName(after)) return { reason: { type: 'other_spelling' }, isCut: false };
  if (namesakes !== null) {
    const { look, difference } = namesakes;
    const mark = markOf(look, difference);
    const marked = withAlbumMark(placement, mark).directories[placement.albumDirectory ?? -1]?.name;
    if (marked !== undefined && foldName(marked) === foldName(after))
      return {
        reason: { type: 'other_album', fields: shownFields(look, difference) },
        isCut: marked !== `${before} {${mark}}`,
      };
  }
  const hex = hexSuffix(before, after);
  if (hex === null) return notYetMoved;
  return { reason: { type: 'name_taken' }, isCut: isCutBy(hex, before, after) };
}

function fileReason({ before, after }: Change, audioFp: string | null): Reason {
  const hex = hexSuffix(before, after);
  if (hex === null) return notYetMoved;
  const isOfAudio = audioFp?.startsWith(hex);
  const type = isOfAudio === undefined ? 'audio_unknown' : isOfAudio ? 'same_name' : 'same_audio';
  return { reason: { type }, isCut: isCutBy(hex, before, after) };
}

/** The hex digits of the suffix that makes one name of the other; null when none does. */
function hexSuffix(before: string, after: string): string | null {
  const hex = / ~([0-9a-f]{6,})(?:\.[^.]*)?$/.exec(after)?.[1];
  return hex !== undefined && withSuffix(before, hex, hex.length) === after ? hex : null;
}

function isCutBy(hex: string, before: string, after: string): boolean {
  return utf8Length(after) < utf8Length(before) + utf8Length(` ~${hex}`);
}
