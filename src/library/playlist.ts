// Playlists as they lie on origins: .m3u, .m3u8 and .pls, read into entries. Nothing is looked up here; what an entry
// points to is playlist-resolve.ts's business. Called for files of origins, so that whatever is in them is bounded.
//
// .m3u: a line is a path, "#" starts a comment, "#EXTINF:seconds,title" speaks of the next path. .pls: an INI file with
// FileN, TitleN, LengthN, played by number. Lines end with LF, CR LF or CR. The text is UTF-8, or windows-1252 when it
// is not valid UTF-8; a byte order mark does not count. As names on Linux are bytes, an entry keeps its bytes as well.
import { bytesOfText, byteText } from './byte-text.ts';
import { libraryLimits } from './library-limits.ts';
import { bytesToText } from './real-path.ts';

export interface PlaylistEntry {
  /** The path or file URL as it is written, its bytes held as text (byte-text.ts). */
  readonly bytes: string;
  /** The same as people read it. */
  readonly text: string;
  /** Length as the playlist has it, above or equal 0; absent when it does not know. */
  readonly seconds?: number;
  readonly title?: string;
}

export interface Playlist {
  readonly entries: readonly PlaylistEntry[];
  /** What is not among the entries: addresses of streams, entries and lines above the limits, the file's end. */
  readonly leftOut: {
    readonly urls: number;
    readonly entries: number;
    readonly lines: number;
    readonly bytes: number;
  };
}

/** Extension → format, for those extensions that are playlists. */
export const playlistFormats: ReadonlyMap<string, 'm3u' | 'pls'> = new Map([
  ['m3u', 'm3u'],
  ['m3u8', 'm3u'],
  ['pls', 'pls'],
]);

/** Reads a playlist. Never fails: what makes no sense is no entry. */
export function parsePlaylist(file: Uint8Array, format: 'm3u' | 'pls'): Playlist {
  const whole = wholeLines(file);
  const text = decoderFor(whole);
  const lines = new Lines(byteText(whole).replace(/^\u00ef\u00bb\u00bf/, ''));
  const found = new Found(text);
  if (format === 'm3u') readM3u(lines, found, text);
  else readPls(lines, found, text);
  return {
    entries: found.entries,
    leftOut: { ...found.leftOut, lines: lines.tooLong, bytes: file.length - whole.length },
  };
}

/** Text of bytes held as text. */
type Decode = (bytes: string) => string;

interface Extra {
  readonly seconds?: number;
  readonly title?: string;
}

class Found {
  readonly entries: PlaylistEntry[] = [];
  readonly leftOut = { urls: 0, entries: 0 };
  readonly #text: Decode;

  constructor(text: Decode) {
    this.#text = text;
  }

  add(bytes: string, extra: Extra): void {
    if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(bytes)) this.leftOut.urls += 1;
    else if (this.entries.length >= libraryLimits.playlistEntries) this.leftOut.entries += 1;
    else this.entries.push({ bytes, text: this.#text(bytes), ...extra });
  }
}

function readM3u(lines: Lines, found: Found, text: Decode): void {
  let extra: Extra = {};
  for (const line of lines.each()) {
    if (line.startsWith('#')) {
      // Between the number and the comma some programs put attributes.
      const [, seconds, title] = /^#EXTINF: *([-+.\d]*)[^,]*(?:,(.*))?$/i.exec(line) ?? [];
      if (seconds !== undefined) extra = { ...secondsOf(seconds), ...titleOf(title, text) };
    } else {
      found.add(line, extra);
      extra = {};
    }
  }
}

function readPls(lines: Lines, found: Found, text: Decode): void {
  const byNumber = new Map<number, Extra & { readonly path?: string }>();
  for (const line of lines.each()) {
    const [, key = '', digits, value = ''] = /^ *(file|title|length)(\d{1,9}) *=(.*)$/i.exec(line) ?? [];
    if (digits === undefined) continue;
    const said = byNumber.get(Number(digits)) ?? {};
    const kind = key.toLowerCase();
    const path = value.trim();
    const more =
      kind === 'title'
        ? titleOf(value, text)
        : kind === 'length'
          ? secondsOf(path)
          : path === ''
            ? {}
            : { path };
    // Of a line that comes twice the first counts.
    byNumber.set(Number(digits), { ...more, ...said });
  }
  for (const [, { path, ...extra }] of [...byNumber].sort(([one], [other]) => one - other)) {
    if (path !== undefined) found.add(path, extra);
  }
}

function secondsOf(written: string): Pick<Extra, 'seconds'> {
  return /^\+?\d{1,9}(\.\d{0,9})?$/.test(written) ? { seconds: Number(written) } : {};
}

function titleOf(bytes: string | undefined, text: Decode): Pick<Extra, 'title'> {
  const title = text(bytes ?? '').trim();
  return title === '' ? {} : { title };
}

/** The file without what lies above the limit, which ends with a whole line then. */
function wholeLines(file: Uint8Array): Uint8Array {
  if (file.length <= libraryLimits.playlistBytes) return file;
  const start = file.subarray(0, libraryLimits.playlistBytes);
  return start.subarray(0, Math.max(start.lastIndexOf(0x0a), start.lastIndexOf(0x0d)) + 1);
}

function decoderFor(file: Uint8Array): Decode {
  if (isUtf8(file)) return bytesToText;
  const windows = new TextDecoder('windows-1252');
  return (bytes) => (/[\u0080-\u00ff]/.test(bytes) ? windows.decode(bytesOfText(bytes)) : bytes);
}

function isUtf8(file: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(file);
    return true;
  } catch {
    // The decoder's one way to say no.
    return false;
  }
}

/** Lines that are neither empty nor blank, one at a time: a file may be four million line ends. */
class Lines {
  tooLong = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  *each(): Generator<string> {
    for (const [line] of this.#text.matchAll(/[^\r\n]+/g)) {
      if (line.length > libraryLimits.playlistLineBytes) this.tooLong += 1;
      else if (/[^ \t]/.test(line)) yield line;
    }
  }
}
