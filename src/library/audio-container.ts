// What a music file is, told from its first bytes, never from its name.

export type AudioContainer =
  | 'flac'
  | 'mpeg'
  | 'adts'
  | 'ogg'
  | 'mp4'
  | 'wave'
  | 'aiff'
  | 'ape'
  | 'wavpack'
  | 'musepack'
  | 'asf'
  | 'dsf'
  | 'dsdiff'
  | 'matroska';

/** By which a parser is chosen. */
export const mimeTypes: Readonly<Record<AudioContainer, string>> = {
  flac: 'audio/flac',
  mpeg: 'audio/mpeg',
  adts: 'audio/aac',
  ogg: 'audio/ogg',
  mp4: 'audio/mp4',
  wave: 'audio/wav',
  aiff: 'audio/aiff',
  ape: 'audio/ape',
  wavpack: 'audio/wavpack',
  musepack: 'audio/musepack',
  asf: 'audio/ms-asf',
  dsf: 'audio/dsf',
  dsdiff: 'audio/dsd',
  matroska: 'audio/matroska',
};

const magics: readonly (readonly [offset: number, magic: string, container: AudioContainer])[] = [
  [0, 'fLaC', 'flac'],
  [0, 'OggS', 'ogg'],
  [4, 'ftyp', 'mp4'],
  [8, 'WAVE', 'wave'],
  [8, 'AIFF', 'aiff'],
  [8, 'AIFC', 'aiff'],
  [0, 'MAC ', 'ape'],
  [0, 'wvpk', 'wavpack'],
  [0, 'MPCK', 'musepack'],
  [0, 'MP+', 'musepack'],
  [0, '\x30\x26\xb2\x75\x8e\x66\xcf\x11', 'asf'],
  [0, 'DSD ', 'dsf'],
  [0, 'FRM8', 'dsdiff'],
  [0, '\x1a\x45\xdf\xa3', 'matroska'],
];

/** Containers whose stream has no magic of its own, by the extension that people give them. */
const byExtension: Readonly<Record<string, AudioContainer>> = {
  mp3: 'mpeg',
  mp2: 'mpeg',
  aac: 'adts',
  mpc: 'musepack',
  ape: 'ape',
  flac: 'flac',
};

/**
 * The container, or null for what is none. `bytes` start at the audio, after leading ID3v2 tags. The extension is
 * asked only where an MPEG stream may begin with junk.
 */
export function audioContainerOf(
  bytes: Uint8Array,
  extension: string,
  hasId3: boolean,
): AudioContainer | null {
  for (const [offset, magic, container] of magics) if (hasMagic(bytes, offset, magic)) return container;
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  if (first === 0xff && (second & 0xf6) === 0xf0) return 'adts';
  if (first === 0xff && (second & 0xe0) === 0xe0) return 'mpeg';
  if (hasId3) return byExtension[extension] ?? 'mpeg';
  return extension === 'mp3' || extension === 'mp2' || extension === 'aac'
    ? (byExtension[extension] ?? null)
    : null;
}

/** Whether the bytes at an offset are this ASCII (latin1) text. */
export function hasMagic(bytes: Uint8Array, offset: number, magic: string): boolean {
  if (offset < 0 || offset + magic.length > bytes.length) return false;
  for (let at = 0; at < magic.length; at += 1) {
    if (bytes[offset + at] !== magic.charCodeAt(at)) return false;
  }
  return true;
}
