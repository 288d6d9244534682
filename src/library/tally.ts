// How often each text occurs, where texts that differ in case, accents and spaces only count as one. Used where tracks
// of one folder vote; the result does not depend on the order of the votes but for the order it comes in.
import { compareBytes, sameTextKey } from './same-text.ts';

export interface Tallied {
  /** What its spellings have in common. */
  readonly key: string;
  readonly count: number;
  /** The commonest spelling; of several, the one with the lowest bytes. */
  readonly spelling: string;
}

/** One entry for each text, in order of first appearance. */
export function tallyOf(texts: Iterable<string>): readonly Tallied[] {
  const spellings = new Map<string, Map<string, number>>();
  for (const text of texts) {
    const key = sameTextKey(text);
    const counts = spellings.get(key) ?? new Map<string, number>();
    counts.set(text, (counts.get(text) ?? 0) + 1);
    spellings.set(key, counts);
  }
  return [...spellings].map(([key, counts]) => {
    let spelling = '';
    let most = 0;
    let count = 0;
    for (const [text, times] of counts) {
      count += times;
      if (times < most || (times === most && compareBytes(text, spelling) > 0)) continue;
      spelling = text;
      most = times;
    }
    return { key, count, spelling };
  });
}

/** The entry that occurs most; of several, the one whose spelling has the lowest bytes. Undefined when there is none. */
export function commonestOf(tally: readonly Tallied[]): Tallied | undefined {
  return tally.reduce<Tallied | undefined>((best, entry) => {
    if (best === undefined || entry.count > best.count) return entry;
    return entry.count === best.count && compareBytes(entry.spelling, best.spelling) < 0 ? entry : best;
  }, undefined);
}
