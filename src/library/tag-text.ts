// From what a tag says to a clean value: the rules that hold for every container. Called by the tag reader and by the
// placement; knows nothing of containers.

/**
 * One value made presentable: ends at a NUL, NFC, no blanks around it, unpaired surrogates as U+FFFD. Undefined when
 * nothing is left.
 */
export function cleanText(raw: string): string | undefined {
  const end = raw.indexOf('\0');
  const text = (end < 0 ? raw : raw.slice(0, end)).toWellFormed().normalize('NFC').trim();
  return text === '' ? undefined : text;
}

/** The values cleaned, in order, empty ones and exact duplicates dropped. */
export function cleanList(raw: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  for (const value of raw) {
    const text = cleanText(value);
    if (text !== undefined) seen.add(text);
  }
  return [...seen];
}

export interface Position {
  readonly number?: number;
  readonly total?: number;
  /** What the tag says when it is no number that fits ("A1", "12345"). */
  readonly text?: string;
}

/** Reads "3", "03/12" or "/12". A number above 9999 stays text; zero means that nothing is known. */
export function parsePosition(text: string): Position {
  const match = /^(\d*)\s*(?:\/\s*(\d*))?$/.exec(text.trim());
  if (match === null) return { text: text.trim() };
  const number = match[1] === '' ? 0 : Number(match[1]);
  const total = Number(match[2] ?? '');
  if (number > 9999) return { text: text.trim() };
  return {
    ...(number > 0 ? { number } : {}),
    ...(total > 0 && total <= 9999 ? { total } : {}),
  };
}

/** YYYY, YYYY-MM or YYYY-MM-DD out of a date tag, which may go on with a time. Undefined without a year. */
export function parseDate(text: string): string | undefined {
  const match = /^\s*([12]\d{3})(?:[-./](\d{1,2})(?:[-./](\d{1,2}))?)?(?!\d)/.exec(text);
  if (match === null) return yearOf(text)?.toString();
  const [, year = '', month = '', day = ''] = match;
  if (!(Number(month) >= 1 && Number(month) <= 12)) return year;
  if (!(Number(day) >= 1 && Number(day) <= 31)) return `${year}-${month.padStart(2, '0')}`;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
}

/** The first group of exactly four digits that reads as a year from 1000 to 2999. */
export function yearOf(text: string): number | undefined {
  const match = /(?<!\d)([12]\d{3})(?!\d)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** True for 1, true and yes in any case. */
export function isTrue(text: string): boolean {
  return /^(?:1|true|yes)$/i.test(text.trim());
}

/** The number at the start of a text like "-6.30 dB". */
export function parseDecimal(text: string): number | undefined {
  const match = /^\s*([+-]?\d+(?:[.,]\d+)?)/.exec(text);
  const value = Number(match?.[1]?.replace(',', '.') ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** "A", "A & B", "A, B & C". */
export function joinNames(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} & ${last}`;
}

/** Lower case without accents: the form in which names are compared when case and accents do not count. */
export function foldText(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}
