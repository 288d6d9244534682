// Where a track appears in the mount: from the facts of one file to the names of its directories and its own, each
// with the key that orders it. Called by the catalog for every parsed file; pure, so that a rebuild from nothing gives
// the same tree. Collisions between files are not seen here: that takes the other names of the directory.
import type { AlbumArtist, AlbumArtistGuess, AlbumArtistRule } from './album-artist.ts';
import { type SharedFields, withShared } from './album-identity.ts';
import { fitPath } from './fit-path.ts';
import type { LibraryOptions } from './library-options.ts';
import {
  cleanName,
  cleanValue,
  cutToBytes,
  finishName,
  foldName,
  nameMaxBytes,
  utf8Length,
} from './names.ts';
import { bytesToText, extensionOf } from './real-path.ts';
import { noteCut, noteFinished, noteReplaced, type RenderNote } from './render-notes.ts';
import { splitListFields } from './split-values.ts';
import { foldText } from './tag-text.ts';
import type { Template } from './template.ts';
import { pathFieldOf, renderFactsOf } from './template-fields.ts';
import { type RenderedComponent, renderTemplate } from './template-render.ts';
import type { TrackFacts } from './track-facts.ts';
import type { TrackTags } from './track-tags.ts';

/** A name of the mount and the key that orders it in its directory, compared bytewise as UTF-8. */
export interface PlacedName {
  readonly name: string;
  readonly sortKey: string;
}

export interface Placement {
  readonly directories: readonly PlacedName[];
  readonly file: PlacedName;
  /** Which rule named the album artist. */
  readonly albumArtistRule: AlbumArtistRule;
  /** Index of the directory that shows the album's name; null when none does. */
  readonly albumDirectory: number | null;
  /** It has no usable tags: its own path is shown. */
  readonly isUnsorted: boolean;
}

/** What a track's neighbours say of its album. */
export interface AlbumFacts {
  /** The album has more than one disc, by its own tags or by its neighbours. */
  readonly multiDisc: boolean;
  /** Whose album it is by rule aa5. */
  readonly guess?: AlbumArtistGuess | null;
  /** What the files of the folder share; it takes the place of the file's own values. */
  readonly shared?: SharedFields | null;
}

/** A placement and how it came about. */
export interface TracedPlacement {
  readonly placement: Placement;
  readonly albumArtist: AlbumArtist;
  /** The path that the file's own tag gives; null: the template decides. */
  readonly pathField: string | null;
  readonly notes: readonly RenderNote[];
}

/** Names at the root that belong to the product. */
export const reservedRootNames = ['.search', '.collections', '.prefetch', '.musicfs'] as const;

/**
 * Places one track. What has neither artist nor album nor title, or could not be read, goes below `options.unsorted`
 * with its own path.
 */
export function placeTrack(
  facts: TrackFacts,
  album: AlbumFacts,
  template: Template,
  options: LibraryOptions,
): Placement {
  return place(facts, album, template, options, null).placement;
}

/** The same, with what happened on the way. */
export function tracePlacement(
  facts: TrackFacts,
  album: AlbumFacts,
  template: Template,
  options: LibraryOptions,
): TracedPlacement {
  const notes: RenderNote[] = [];
  return { ...place(facts, album, template, options, notes), notes };
}

/**
 * The placement with a mark behind the album, ` {Deluxe Edition}`, which stays whole. The same when no directory shows
 * the album: its files then stand side by side with those of its namesake.
 */
export function withAlbumMark(placement: Placement, mark: string): Placement {
  const { directories, albumDirectory } = placement;
  const bare = directories[albumDirectory ?? -1];
  if (bare === undefined || mark === '') return placement;
  const shown = ` {${mark}}`;
  const name = `${cutToBytes(bare.name, nameMaxBytes - utf8Length(shown)).trimEnd()}${shown}`;
  const sortText = bare.sortKey.slice(0, bare.sortKey.lastIndexOf('\u0001'));
  const marked = { name, sortKey: `${sortText}${foldText(shown)}\u0001${name}` };
  return {
    ...placement,
    directories: directories.map((directory) => (directory === bare ? marked : directory)),
  };
}

function place(
  facts: TrackFacts,
  album: AlbumFacts,
  template: Template,
  options: LibraryOptions,
  notes: RenderNote[] | null,
): Omit<TracedPlacement, 'notes'> {
  const split = splitListFields(facts.tags, options);
  const shared = album.shared ?? null;
  const tags = shared === null ? split : withShared(split, shared);
  const isMultiDisc = album.multiDisc || (tags.discTotal ?? 1) > 1;
  const render = renderFactsOf(facts, tags, isMultiDisc, album.guess ?? null, options);
  const pathField = pathFieldOf(tags, options) ?? null;
  const isUnsorted =
    pathField === null && options.unsorted !== '' && (facts.state === 'failed' || !hasName(tags));
  const whole = isUnsorted
    ? unsortedComponents(facts, options, notes)
    : keepReservedFree(
        renderTemplate(pathField === null ? template : pathFieldTemplate, render, notes),
        options,
        notes,
      );
  const components = options.maxPath === 0 ? whole : fitted(whole, options, notes);
  const file = components.at(-1) ?? { name: '_', sortText: '_', isAlbum: false };
  const directories = components.slice(0, -1);
  const albumDirectory = directories.findIndex(({ isAlbum }) => isAlbum);
  const placement: Placement = {
    directories: directories.map(({ name, sortText }) => ({
      name,
      sortKey: `${foldText(sortText)}\u0001${name}`,
    })),
    file: { name: file.name, sortKey: fileSortKey(tags, file) },
    albumArtistRule: render.albumArtist.rule,
    albumDirectory: albumDirectory < 0 ? null : albumDirectory,
    isUnsorted,
  };
  return { placement, albumArtist: render.albumArtist, pathField };
}

/** Takes the place of the template for a file that says itself where it belongs. */
const pathFieldTemplate: Template = {
  source: '$path_field',
  parts: [{ type: 'choice', alternatives: [{ type: 'field', name: 'path_field', mods: [] }] }],
};

function fitted(
  components: readonly RenderedComponent[],
  options: LibraryOptions,
  notes: RenderNote[] | null,
): readonly RenderedComponent[] {
  const fitting = fitPath(components, options.maxPath);
  if (notes !== null)
    for (const [index, { name }] of components.entries()) noteCut(notes, name, fitting[index]?.name ?? name);
  return fitting;
}

/** Whether a file has any of the three tags without which it cannot be filed. */
export function hasName(tags: TrackTags): boolean {
  return (
    tags.artist !== undefined ||
    (tags.artists?.length ?? 0) > 0 ||
    tags.album !== undefined ||
    tags.title !== undefined
  );
}

function unsortedComponents(
  facts: TrackFacts,
  options: LibraryOptions,
  notes: RenderNote[] | null,
): readonly RenderedComponent[] {
  const parts = facts.realPath.split('/').map(bytesToText);
  const extension = extensionOf(facts.realPath);
  return [options.unsorted, facts.originId, ...parts].map((part, index, all) => {
    const isFile = index === all.length - 1;
    const end = isFile && extension !== '' ? part.slice(-extension.length - 1) : '';
    const clean = cleanValue(part, options);
    const name = finishName(clean, options.names, end);
    if (notes !== null) {
      noteReplaced(notes, 'real_path', part, clean, options);
      noteFinished(notes, clean, name, options.names, end);
    }
    return { name, sortText: name, isAlbum: false };
  });
}

/** Puts "_" before a name at the root that the product uses itself. */
function keepReservedFree(
  components: readonly RenderedComponent[],
  options: LibraryOptions,
  notes: RenderNote[] | null,
): readonly RenderedComponent[] {
  const [first, ...rest] = components;
  if (first === undefined) return components;
  const reserved = [
    ...reservedRootNames,
    ...[options.unsorted, options.playlists, ...options.views.map(({ root }) => root)]
      .filter((name) => name !== '')
      .map((name) => cleanName(name, options)),
  ];
  if (!reserved.some((name) => foldName(name) === foldName(first.name))) return components;
  const name = `_${first.name}`;
  notes?.push({ type: 'reserved', before: first.name, after: name });
  return [{ ...first, name }, ...rest];
}

/** Files by disc, then track, then name. Numbers have four digits at most. */
function fileSortKey(tags: TrackTags, file: RenderedComponent): string {
  const number = (value: number | undefined, missing: number): string =>
    String(value ?? missing).padStart(4, '0');
  return `${number(tags.disc, 1)}${number(tags.track, 0)}${foldText(file.sortText)}\u0001${file.name}`;
}
