// The further places of a track: one in each view, or one for each value of the field that a view is made of. They are
// names of the same file: same inode, same bytes. Used inside a publication's transaction only.
import { defaultLibraryOptions, type LibraryOptions } from '../library/library-options.ts';
import { cleanName } from '../library/names.ts';
import { type AlbumFacts, hasName, type PlacedName, placeTrack } from '../library/placement.ts';
import { splitListFields } from '../library/split-values.ts';
import { foldText } from '../library/tag-text.ts';
import { parseTemplate, type Template } from '../library/template.ts';
import type { TrackFacts } from '../library/track-facts.ts';
import type { ListField, TrackTags } from '../library/track-tags.ts';
import { MusicfsError } from '../platform/errors.ts';
import type { Claimant, NameClaims } from './name-claims.ts';
import { entryView } from './schema.ts';
import type { EntryOfNode, Instant, TreeWriter } from './tree-writer.ts';

/** A track as it is placed. */
export interface PlacedTrack extends Claimant {
  readonly facts: TrackFacts;
  readonly album: AlbumFacts;
}

/** A further place of a track. */
export interface PlaceInView {
  readonly directories: readonly PlacedName[];
  readonly file: PlacedName;
}

interface View {
  readonly root: PlacedName;
  readonly template: Template;
  readonly each: ListField | null;
  readonly options: LibraryOptions;
}

/** A file with more values of one field than any library has them is shown under the first ones. */
const mostValues = 32;

export class ViewPlacer {
  private readonly tree: TreeWriter;
  private readonly names: NameClaims;
  private readonly options: LibraryOptions;
  private readonly views: readonly View[];
  /** There are further places, or were by the settings before. */
  private readonly isNeeded: boolean;

  /** Throws `config_invalid` for a template that cannot be parsed. */
  constructor(tree: TreeWriter, names: NameClaims, options: LibraryOptions) {
    this.tree = tree;
    this.names = names;
    // Below the root of a view nothing is reserved.
    this.options = options;
    this.views = options.views.map(({ root, template: text, each }) => {
      const parsed = parseTemplate(text);
      if (parsed.type !== 'parsed')
        throw new MusicfsError('config_invalid', `view ${root}, column ${parsed.column}: ${parsed.reason}`);
      const name = cleanName(root, options);
      return {
        root: { name, sortKey: `${foldText(name)}\u0001${name}` },
        template: parsed.template,
        each,
        // Below its root nothing is reserved, no tag says where a file belongs, and a path has less room.
        options: {
          ...options,
          ...{ views: defaultLibraryOptions.views, playlists: '', pathField: '' },
          maxPath: options.maxPath === 0 ? 0 : Math.max(1, options.maxPath - name.length - 1),
        },
      };
    });
    this.isNeeded = this.views.length > 0 || options.multiArtist === 'all' || tree.hasViews();
  }

  /**
   * Lists a track in these places, and takes it out of where it does not belong any more. With `takesBare` it takes a name
   * without a suffix when nobody has it any more.
   */
  place(track: PlacedTrack, places: readonly PlaceInView[], now: Instant, takesBare: boolean): void {
    if (!this.isNeeded) return;
    const current = this.tree.furtherOf(track.node);
    /** Entries that are settled: they stay, or are gone already. */
    const settled = new Set<number>();
    const drop = (entry: EntryOfNode) => {
      settled.add(entry.id);
      this.tree.dropFurther(entry, track.node, now);
    };
    const parents = new Set<number>();
    const main = this.tree.entryOf(track.node);
    if (main !== undefined) parents.add(main.parent); // where it stands anyway
    for (const { directories, file } of places) {
      const parent = this.names.directories(directories, now);
      if (parents.has(parent)) continue; // two values that are one name
      parents.add(parent);
      const names = this.names.spellings(file.name, track);
      const known = current.find(
        (entry) =>
          entry.parent === parent &&
          this.tree.isOfThisCase(entry) &&
          [...names.ofAudio, ...names.ofPath].includes(entry.name),
      );
      const [bare = ''] = names.ofAudio;
      const mayTakeBare = () =>
        takesBare && known?.name !== bare && this.tree.holderOf(parent, bare) === undefined;
      if (known !== undefined && !mayTakeBare()) {
        settled.add(known.id);
        continue;
      }
      // Its new name may be another spelling of the one it has.
      current.filter((entry) => entry.parent === parent && !settled.has(entry.id)).forEach(drop);
      const name = this.names.claim(parent, names, track, now);
      this.tree.listFurther({ parent, name }, file.sortKey, track.node, entryView.view, now);
    }
    current.filter((entry) => !settled.has(entry.id)).forEach(drop);
  }

  /** Where a track belongs, in every view. */
  placesOf({ facts, album }: PlacedTrack): readonly PlaceInView[] {
    if (this.views.length === 0) return [];
    const tags = splitListFields(facts.tags, this.options);
    if (facts.state === 'failed' || !hasName(tags)) return []; // what has no tags has its one place
    return this.views.flatMap(({ root, template, each, options }) =>
      (each === null ? [tags] : eachValue(tags, each)).map((one) => {
        const { directories, file } = placeTrack({ ...facts, tags: one }, album, template, options);
        return { directories: [root, ...directories], file };
      }),
    );
  }
}

/** The tags once for each of several album artists, as if the album were that one's alone. */
export function eachAlbumArtist(tags: TrackTags): readonly TrackTags[] {
  const { albumArtist: _shown, albumArtistSort: _sort, mbAlbumArtistIds: _ids, ...rest } = tags;
  const one = eachValue(rest, 'albumArtists');
  return one.length < 2 ? [] : one;
}

/** The tags once for each value of a field; once where there is none. */
function eachValue(tags: TrackTags, field: ListField): readonly TrackTags[] {
  const values = tags[field] ?? [];
  if (values.length < 2) return [tags];
  return values.slice(0, mostValues).map((value) => ({ ...tags, [field]: [value] }));
}
