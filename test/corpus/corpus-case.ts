// One case of the corpus: a file of a library and what it stands for. The cases of one area are in one file of cases/.
//
// Audio is filler made from the path, so that a new case changes no name of the others; two cases with the same `audio`
// have the same. Cases that meet under one name lie in one folder, or one above the other: a scan lists a folder in the
// order of its names and before the folders in it, so who comes first is the same in every run.
import { makeFlac, type Tags } from '../fixtures/audio-files.ts';
import { encodeWithFfmpeg } from '../fixtures/encoded-audio.ts';

export interface CorpusCase {
  /** Below the origin. */
  readonly path: string;
  /** What is odd about it. */
  readonly what: string;
  /** The file, or what writes it under the absolute path it is given. */
  readonly file: Buffer | ((place: string) => void);
  /** What is not as it should be yet, and how it should be. */
  readonly wrong?: string;
}

/** The case, with what is wrong about where it is shown. */
export function notYet(wrong: string, one: CorpusCase): CorpusCase {
  return { ...one, wrong };
}

/** Vorbis key → value, or values. */
export type Comments = Readonly<Record<string, string | readonly string[]>>;

export function seedOf(text: string): number {
  let seed = 7;
  for (const byte of Buffer.from(text)) seed = (Math.imul(seed, 31) + byte) >>> 0;
  return seed || 1;
}

/** The comments as pairs, values of one key one after the other. */
export function pairsOf(comments: Comments): Tags {
  return Object.entries(comments).flatMap(([key, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => [key, one] as const),
  );
}

/** A FLAC file with these comments. */
export function flac(
  path: string,
  what: string,
  comments: Comments,
  options: Parameters<typeof makeFlac>[1] & { readonly audio?: string } = {},
): CorpusCase {
  const { audio = path, ...rest } = options;
  return { path, what, file: makeFlac(pairsOf(comments), { seed: seedOf(audio), ...rest }) };
}

/** A file made by ffmpeg; its extension chooses the format. */
export function encoded(
  path: string,
  what: string,
  tags: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): CorpusCase {
  return { path, what, file: (place) => encodeWithFfmpeg(place, tags, options) };
}

export function given(path: string, what: string, file: CorpusCase['file']): CorpusCase {
  return { path, what, file };
}
