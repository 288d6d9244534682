// What is shown of pictures of albums.
import { defaultPicturePriority } from './picture-priority.ts';

export interface ArtworkSettings {
  readonly enabled: boolean;
  /** Where a picture is looked for, first to last: entries that parsePicturePriority takes. */
  readonly priority: readonly string[];
  /** Names under which an album's picture is listed in its directory. */
  readonly names: readonly string[];
  /** The smaller ones are listed as well; they answer to their names in any case. */
  readonly listSizes: boolean;
}

export const defaultArtwork: ArtworkSettings = {
  enabled: true,
  priority: defaultPicturePriority,
  names: ['cover.jpg'],
  listSizes: false,
};

/** Names of the smaller ones: they fit 300 and 150 pixels. */
export const mediumName = 'cover_medium.jpg';
export const thumbName = 'cover_thumb.jpg';
