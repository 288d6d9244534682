// Section [artwork] of the configuration: which picture stands for an album, and under which names.
import * as v from 'valibot';
import { type ArtworkSettings, defaultArtwork, mediumName, thumbName } from '../platform/artwork-settings.ts';
import { messageOf } from '../platform/errors.ts';
import { parsePicturePriority } from '../platform/picture-priority.ts';

const isPriority = v.rawCheck<string[]>(({ dataset, addIssue }) => {
  if (!dataset.typed) return;
  try {
    parsePicturePriority(dataset.value);
  } catch (error) {
    addIssue({ message: messageOf(error).replace('artwork.priority ', '') });
  }
});

/** A name that can be shown in a directory by every name profile. */
const pictureName = v.pipe(
  v.string(),
  v.transform((name) => name.normalize('NFC')),
  v.check(
    (name) =>
      /^[^/\\:*?"<>|\p{Cc}]+\.jpg$/iu.test(name) && !name.startsWith('.') && Buffer.byteLength(name) <= 255,
    'a name is a plain one that ends in .jpg, such as folder.jpg',
  ),
  v.check(
    (name) => name !== mediumName && name !== thumbName,
    `${mediumName} and ${thumbName} are the smaller pictures: list_sizes lists them`,
  ),
);

export const artworkEntry = v.strictObject({
  enabled: v.optional(v.boolean()),
  priority: v.optional(v.pipe(v.array(v.string()), isPriority)),
  names: v.optional(
    v.pipe(
      v.array(pictureName),
      v.minLength(1, 'it needs a name; enabled = false shows no pictures'),
      v.maxLength(8, 'at most 8 names'),
      v.check((names) => new Set(names).size === names.length, 'a name is there twice'),
    ),
  ),
  list_sizes: v.optional(v.boolean()),
});

/** What is left out has its default. */
export function artworkSettingsOf(entry: v.InferOutput<typeof artworkEntry> = {}): ArtworkSettings {
  return {
    enabled: entry.enabled ?? defaultArtwork.enabled,
    priority: entry.priority ?? defaultArtwork.priority,
    names: entry.names ?? defaultArtwork.names,
    listSizes: entry.list_sizes ?? defaultArtwork.listSizes,
  };
}
