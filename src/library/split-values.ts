// One tag value that holds several names, cut at the delimiters the user configured for the field.
//
// Names on the keep-list ("AC/DC", "Earth, Wind & Fire") are recognised first, without regard to case and accents, and
// never cut. True multi-values come as lists already and only have each member cut.
import type { LibraryOptions } from './library-options.ts';
import { foldText } from './tag-text.ts';
import { type ListField, listFields, type TrackTags } from './track-tags.ts';

/** The tags with every list field cut as configured. The same object when nothing changes. */
export function splitListFields(tags: TrackTags, options: LibraryOptions): TrackTags {
  const changed: Partial<Record<ListField, readonly string[]>> = {};
  for (const field of listFields) {
    const delimiters = options.split[field] ?? [];
    const values = tags[field];
    if (values === undefined || !values.some((value) => delimiters.some((mark) => value.includes(mark))))
      continue;
    changed[field] = [
      ...new Set(values.flatMap((value) => splitValue(value, delimiters, options.splitKeep))),
    ];
  }
  return Object.keys(changed).length === 0 ? tags : { ...tags, ...changed };
}

/** The names in one value, trimmed, empty ones dropped. */
export function splitValue(
  value: string,
  delimiters: readonly string[],
  keep: readonly string[],
): readonly string[] {
  const marks = delimiters.filter((mark) => mark !== '').sort((a, b) => b.length - a.length);
  const kept = keep.map(foldText).sort((a, b) => b.length - a.length);
  const names: string[] = [];
  let start = 0;
  let at = 0;
  while (at < value.length) {
    const keptLength = value.slice(start, at).trim() === '' ? keptLengthAt(value, at, kept, marks) : 0;
    if (keptLength > 0) {
      at += keptLength;
      continue;
    }
    const mark = marks.find((text) => value.startsWith(text, at));
    if (mark === undefined) {
      at += 1;
      continue;
    }
    names.push(value.slice(start, at).trim());
    at += mark.length;
    start = at;
  }
  names.push(value.slice(start).trim());
  return names.filter((name) => name !== '');
}

/** Length of the kept name that begins here and is followed by the end or a delimiter; 0 when there is none. */
function keptLengthAt(value: string, at: number, kept: readonly string[], marks: readonly string[]): number {
  for (const name of kept) {
    // Accents may make the spelled-out form longer than the folded one: try the lengths around it.
    for (let length = name.length; length <= name.length * 2 && at + length <= value.length; length += 1) {
      if (foldText(value.slice(at, at + length)) !== name) continue;
      const rest = value.slice(at + length).trimStart();
      if (rest === '' || marks.some((mark) => rest.startsWith(mark))) return length;
    }
  }
  return 0;
}
