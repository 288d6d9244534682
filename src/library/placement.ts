// Where a track appears in the mount: from the facts of one file to the names of its directories and its own, each
// with the key that orders it. Called by the catalog for every parsed file; pure, so that a rebuild from nothing gives
// the same tree. Collisions between files are not seen here: that takes the other names of the directory.

import type { LibraryOptions } from './library-options.ts';
import { cleanName, foldName } from './names.ts';
import { bytesToText, extensionOf } from './real-path.ts';
import { splitListFields } from './split-values.ts';
import { foldText } from './tag-text.ts';
import type { Template } from './template.ts';
import { renderFactsOf } from './template-fields.ts';
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
  /** Which rule named the album artist: aa2, aa3, aa4, aa6 or aa7. */
  readonly albumArtistRule: string;
}

/** Names at the root that belong to the product. */
export const reservedRootNames = ['.search', '.collections', '.prefetch', '.musicfs'] as const;

/**
 * Places one track. `multiDisc` says that its album has more than one disc, by its own tags or by its neighbours. What
 * has neither artist nor album nor title, or could not be read, goes below `options.unsorted` with its own path.
 */
export function placeTrack(
  facts: TrackFacts,
  album: { readonly multiDisc: boolean },
  template: Template,
  options: LibraryOptions,
): Placement {
  const tags = splitListFields(facts.tags, options);
  const isMultiDisc = album.multiDisc || (tags.discTotal ?? 1) > 1;
  const render = renderFactsOf(facts, tags, isMultiDisc, options);
  const isUnsorted = options.unsorted !== '' && (facts.state === 'failed' || !hasName(tags));
  const components = isUnsorted
    ? unsortedComponents(facts, options)
    : keepReservedFree(renderTemplate(template, render), options);
  const file = components.at(-1) ?? { name: '_', sortText: '_' };
  return {
    directories: components
      .slice(0, -1)
      .map(({ name, sortText }) => ({ name, sortKey: `${foldText(sortText)}\u0001${name}` })),
    file: { name: file.name, sortKey: fileSortKey(tags, file) },
    albumArtistRule: render.albumArtist.rule,
  };
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

function unsortedComponents(facts: TrackFacts, options: LibraryOptions): readonly RenderedComponent[] {
  const parts = facts.realPath.split('/').map(bytesToText);
  const extension = extensionOf(facts.realPath);
  const names = [options.unsorted, facts.originId, ...parts].map((part, index, all) => {
    const isFile = index === all.length - 1;
    return cleanName(part, options, isFile && extension !== '' ? part.slice(-extension.length - 1) : '');
  });
  return names.map((name) => ({ name, sortText: name }));
}

/** Puts "_" before a name at the root that the product uses itself. */
function keepReservedFree(
  components: readonly RenderedComponent[],
  options: LibraryOptions,
): readonly RenderedComponent[] {
  const [first, ...rest] = components;
  if (first === undefined) return components;
  const reserved = [
    ...reservedRootNames,
    ...(options.unsorted === '' ? [] : [cleanName(options.unsorted, options)]),
  ];
  if (!reserved.some((name) => foldName(name) === foldName(first.name))) return components;
  return [{ ...first, name: `_${first.name}` }, ...rest];
}

/** Files by disc, then track, then name. Numbers have four digits at most. */
function fileSortKey(tags: TrackTags, file: RenderedComponent): string {
  const number = (value: number | undefined, missing: number): string =>
    String(value ?? missing).padStart(4, '0');
  return `${number(tags.disc, 1)}${number(tags.track, 0)}${foldText(file.sortText)}\u0001${file.name}`;
}
