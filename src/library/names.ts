// Names that every client can read: what a value and a finished path component go through before they are shown.
//
// Lengths are bytes of UTF-8, as the kernel counts them. Everything here is idempotent: a clean name stays as it is.
// The profile "windows" also avoids what SMB clients, exFAT sticks and car radios refuse; "posix" only what the kernel
// refuses.
import type { LibraryOptions, NameCase, NameProfile } from './library-options.ts';

/** Longest name of the kernel's directory entries. */
export const nameMaxBytes = 255;

/** C0 and C1 controls, line and paragraph separators, and the marks that turn the direction of text. */
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const windowsForbidden = /[\\:*?"<>|]/g;

const windowsDevice = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?= *(?:\.|$))/i;

/** The form in which names are stored and looked up. */
export function normalizeName(name: string): string {
  return name.normalize('NFC');
}

export const nameCases: readonly NameCase[] = ['merge', 'sensitive'];

/** The key by which two names in one directory are the same: NFC, without regard to case. */
export function foldName(name: string): string {
  // The way over upper case brings "ß" and "SS", "ς" and "σ" together; "ẞ" needs to be lower case before it.
  return name.normalize('NFC').toLowerCase().toUpperCase().toLowerCase().normalize('NFC');
}

/**
 * The key by which a name is kept among its siblings. Of a tree that tells cases apart it begins with the key of one that
 * does not and goes on with the name itself, so that both kinds can stand in one directory while a change is under way.
 */
export function nameKey(name: string, nameCase: NameCase): string {
  return nameCase === 'merge' ? foldName(name) : `${foldName(name)}\u0001${normalizeName(name)}`;
}

/** Whether it is the key of a tree that tells cases apart. No name has a control character. */
export function isExactKey(key: string): boolean {
  return key.includes('\u0001');
}

/** The keys of all names that differ in case only lie from the first of these up to, not including, the second. */
export function keyRange(name: string): readonly [from: string, below: string] {
  const folded = foldName(name);
  return [folded, `${folded}\u0002`];
}

/** One value before it is put into a component: harmless characters only. May be empty. */
export function cleanValue(value: string, options: Pick<LibraryOptions, 'names' | 'replace'>): string {
  return harmless(replaceCharacters(value, options.replace), options.names);
}

/**
 * A finished component: never empty, ".", "..", never with "/" or NUL, at most 255 bytes. `extension` (with its dot)
 * is the end of the name that a cut leaves whole.
 */
export function finishName(component: string, profile: NameProfile, extension = ''): string {
  return fitName(shapeName(component, profile, extension), profile, extension);
}

/** A finished component but for its length. */
export function shapeName(component: string, profile: NameProfile, extension = ''): string {
  let name = trimmed(harmless(component, profile), profile);
  if (extension !== '' && name === extension) name = `_${extension}`;
  if (profile === 'windows') {
    if (name.startsWith('.')) name = `_${name.slice(1)}`;
    name = name.replace(windowsDevice, '$1_');
  }
  return name === '' || name === '.' || name === '..' ? '_' : name;
}

/** Both steps for a name that comes from elsewhere, such as a folder of an origin. */
export function cleanName(
  name: string,
  options: Pick<LibraryOptions, 'names' | 'replace'>,
  extension = '',
): string {
  return finishName(cleanValue(name, options), options.names, extension);
}

/** A text for one line of a file: without what moves the line, the cursor or the direction of reading. */
export function withoutControls(text: string): string {
  return text.replace(unprintable, '');
}

/** The extension that a finished name ends with, with its dot; "" where it has none. */
export function endOf(name: string): string {
  return /(?<=.)\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair counts for two of the pair's four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}

/** The longest start of the text that fits, cut between code points and never before a mark that belongs to it. */
export function cutToBytes(text: string, maxBytes: number): string {
  if (utf8Length(text) <= maxBytes) return text;
  let bytes = 0;
  let cut = '';
  for (const point of text) {
    bytes += utf8Length(point);
    if (bytes > maxBytes) break;
    cut += point;
  }
  return cut.replace(/[\u200d\p{M}]+$/u, '');
}

function replaceCharacters(value: string, replace: Readonly<Record<string, string>>): string {
  if (Object.keys(replace).length === 0) return value;
  return [...value]
    .map((character) => (Object.hasOwn(replace, character) ? replace[character] : character))
    .join('');
}

function harmless(value: string, profile: NameProfile): string {
  // ASCII without anything to change is the common case and costs one test.
  if (/^[A-Za-z0-9 .,'&()[\]_-]*$/.test(value) && !value.includes('  ')) return value;
  const text = value
    .toWellFormed()
    .replace(unprintable, '')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replaceAll('/', '_');
  return profile === 'windows' ? text.replace(windowsForbidden, '_') : text;
}

function trimmed(name: string, profile: NameProfile): string {
  return profile === 'windows' ? name.replace(/^ +|[ .]+$/g, '') : name.replace(/^ +| +$/g, '');
}

function fitName(name: string, profile: NameProfile, extension: string): string {
  if (utf8Length(name) <= nameMaxBytes) return name;
  const kept = extension !== '' && name.endsWith(extension) ? extension : '';
  const stem = name.slice(0, name.length - kept.length);
  const cut = cutToBytes(stem, nameMaxBytes - utf8Length(kept));
  const whole = trimmed(cut.replace(/ +$/, '') + kept, profile);
  return whole === '' ? '_' : whole;
}
