// The setting `artwork.priority`: where an album's picture is looked for, first to last. Pure. Read once, by whoever reads
// the configuration; artwork/choose-picture.ts goes by it.
import { MusicfsError } from './errors.ts';
import { limits } from './limits.ts';

export type PictureSource =
  /** A file in a folder of the album, by its name; the glob is in lower case and composed (NFC). */
  | { readonly type: 'folder'; readonly glob: string }
  | { readonly type: 'embedded'; readonly kind: EmbeddedKind | 'any' }
  /** A picture that a person has set; there are none yet. */
  | { readonly type: 'overlay' };

/** What a picture in a track shows, by its tag. */
export type EmbeddedKind = 'front' | 'back' | 'other';

/** Files that may be pictures, by extension. Of two that match the same glob the one further left is taken. */
export const pictureExtensions: readonly string[] = ['jpg', 'jpeg', 'png', 'webp', 'gif'];

const embeddedKinds = ['front', 'back', 'other', 'any'] as const;

export const defaultPicturePriority: readonly string[] = [
  ...['folder:cover.*', 'folder:folder.*', 'folder:front.*'],
  ...['embedded:front', 'embedded:any'],
];

const hint = `an entry is "folder:cover.*", "embedded:${embeddedKinds.join('|')}" or "overlay"`;

/** The sources that the entries name. Throws `config_invalid` about the first one that is wrong. */
export function parsePicturePriority(entries: readonly string[]): readonly PictureSource[] {
  if (entries.length === 0) throw refusal('is empty', hint);
  if (entries.length > limits.picturePriorityEntries)
    throw refusal(`has ${entries.length} entries`, `${limits.picturePriorityEntries} are allowed`);
  return entries.map(sourceOf);
}

function sourceOf(entry: string): PictureSource {
  if (entry.length > limits.picturePriorityCharacters)
    throw refusal(
      `has an entry of ${entry.length} characters`,
      `${limits.picturePriorityCharacters} are allowed`,
    );
  if (entry === 'overlay') return { type: 'overlay' };
  const [, type, rest = ''] = /^([a-z]+):(.*)$/su.exec(entry) ?? [];
  if (type === 'embedded') {
    const kind = embeddedKinds.find((known) => known === rest);
    if (kind !== undefined) return { type, kind };
  }
  if (type !== 'folder' || rest === '') throw refusal(`has "${entry}"`, hint);
  if (/[/\\\0]/.test(rest))
    throw refusal(`has "${entry}"`, 'a file is chosen by its name alone, without folders');
  const extension = /\.([a-z0-9]+)$/i.exec(rest)?.[1]?.toLowerCase();
  if (extension !== undefined && !pictureExtensions.includes(extension))
    throw refusal(`has "${entry}"`, `a picture is one of ${pictureExtensions.join(', ')}`);
  return { type, glob: foldName(rest) };
}

/** A name or glob as it is compared: `É` in capitals or as two characters makes no difference. */
export function foldName(text: string): string {
  return text.normalize('NFC').toLowerCase().normalize('NFC');
}

function refusal(what: string, way: string): MusicfsError {
  return new MusicfsError('config_invalid', `artwork.priority ${what}: ${way}`);
}
