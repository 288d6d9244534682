// When two tags say the same: for grouping files and for telling albums apart, where a stray accent or a doubled space
// must not make two of one. Never for what is shown.
import { foldName } from './names.ts';

/** Accents are marks on letters of these scripts. In others (Devanagari, kana, Thai) a mark makes another letter. */
const accents =
  /(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}])\p{M}+/gu;

/** The key that two texts share when only case, accents and white space differ. Empty for an empty text only. */
export function sameTextKey(text: string): string {
  const folded = foldName(text);
  const key = folded.normalize('NFD').replace(accents, '').replace(/\s+/g, '');
  return key === '' ? folded : key;
}

/** Order of two well-formed texts by their bytes in UTF-8, which is the order of their code points. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1);
}
