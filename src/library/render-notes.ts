// What happened on the way from tags to a path, for a person who asks why a file is called what it is called. Written by
// the renderer and the placement when somebody asks, read by explain.ts; a scan writes none.
import type { LibraryOptions, NameProfile } from './library-options.ts';
import { cleanValue, shapeName, utf8Length } from './names.ts';

export type RenderNote =
  /** A variable of the template had no value. */
  | { readonly type: 'missing'; readonly variable: string; readonly instead: Substitute }
  /** A value, or the template's own text (`variable` null), held what no name may hold. */
  | {
      readonly type: 'replaced';
      readonly variable: string | null;
      readonly before: string;
      readonly after: string;
      readonly characters: readonly ReplacedCharacter[];
    }
  /** A whole component was no safe name: blanks at its ends, a leading dot, a name of a device, nothing at all. */
  | { readonly type: 'shaped'; readonly before: string; readonly after: string }
  /** A component was longer than a name, or with the others longer than a path, may be. */
  | {
      readonly type: 'cut';
      readonly after: string;
      readonly bytesBefore: number;
      readonly bytesAfter: number;
    }
  /** A component at the root had a name of the product. */
  | { readonly type: 'reserved'; readonly before: string; readonly after: string };

/** What took the place of a missing variable. */
export type Substitute =
  | { readonly type: 'default'; readonly text: string }
  /** Another alternative of the choice; `variable` is null when it is a text of the template. */
  | { readonly type: 'alternative'; readonly variable: string | null; readonly text: string }
  | { readonly type: 'section_dropped' }
  | { readonly type: 'nothing' };

/** `to` is "" for a character that was dropped. */
export interface ReplacedCharacter {
  readonly from: string;
  readonly to: string;
}

/** Notes what `cleanValue` made of a value, if anything. */
export function noteReplaced(
  notes: RenderNote[],
  variable: string | null,
  before: string,
  after: string,
  options: Pick<LibraryOptions, 'names' | 'replace'>,
): void {
  if (after === before) return;
  // "/" in the template's own text separates components.
  const kept = variable === null ? '/' : '';
  const characters = [...new Set(before.normalize('NFC'))]
    .filter((character) => character !== kept)
    .map((from) => ({ from, to: cleanValue(from, options) }))
    .filter(({ from, to }) => from !== to);
  notes.push({ type: 'replaced', variable, before, after, characters });
}

/** Notes what `finishName` made of a component, if anything. */
export function noteFinished(
  notes: RenderNote[],
  before: string,
  after: string,
  profile: NameProfile,
  extension: string,
): void {
  if (after === before) return;
  const shaped = shapeName(before, profile, extension);
  if (shaped !== before) notes.push({ type: 'shaped', before, after: shaped });
  noteCut(notes, shaped, after);
}

/** Notes what a name lost to be short enough, if anything. */
export function noteCut(notes: RenderNote[], before: string, after: string): void {
  if (after === before) return;
  notes.push({ type: 'cut', after, bytesBefore: utf8Length(before), bytesAfter: utf8Length(after) });
}
