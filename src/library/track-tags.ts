// What the tags of one music file say, in the product's own words: the parser writes it, the catalog keeps it, the
// template reads it. Every field is optional, as every tag may be missing; an absent field is left out, never empty.
//
// Values are cleaned (tag-text.ts) before they get here. Lists keep the order of the file, without exact duplicates.

/** Fields that hold one text. */
export const textFields = [
  'title',
  'artist',
  'album',
  'albumArtist',
  'discSubtitle',
  'trackText',
  'discText',
  'date',
  'originalDate',
  'lyrics',
  'comment',
  'copyright',
  'language',
  'grouping',
  'work',
  'mood',
  'titleSort',
  'artistSort',
  'albumSort',
  'albumArtistSort',
  'composerSort',
  'edition',
  'barcode',
  'media',
  'releaseCountry',
  'releaseStatus',
  'mbRecordingId',
  'mbTrackId',
  'mbAlbumId',
  'mbReleaseGroupId',
  'mbWorkId',
  'acoustidId',
  'codec',
  'container',
  'encoder',
] as const;

/** Fields that hold several texts. */
export const listFields = [
  'artists',
  'albumArtists',
  'genre',
  'composer',
  'label',
  'catalogNumber',
  'releaseType',
  'conductor',
  'performer',
  'remixer',
  'lyricist',
  'arranger',
  'producer',
  'djMixer',
  'mbArtistIds',
  'mbAlbumArtistIds',
  'isrc',
] as const;

/**
 * Fields that hold a number. Gains in dB, peaks as a ratio to full scale, the others as their names say; counts are
 * whole numbers.
 */
export const numberFields = [
  'track',
  'trackTotal',
  'disc',
  'discTotal',
  'year',
  'originalYear',
  'bpm',
  'durationMs',
  'bitrateBps',
  'sampleRateHz',
  'channels',
  'bitsPerSample',
  'replaygainTrackGain',
  'replaygainTrackPeak',
  'replaygainAlbumGain',
  'replaygainAlbumPeak',
  'r128TrackGain',
  'r128AlbumGain',
] as const;

/** Fields that are true or false. */
export const flagFields = ['compilation', 'lossless', 'vbr', 'durationEstimated'] as const;

export type TextField = (typeof textFields)[number];
export type ListField = (typeof listFields)[number];
export type NumberField = (typeof numberFields)[number];
export type FlagField = (typeof flagFields)[number];

/**
 * The tags of one file. `trackText` and `discText` hold a position that is no number ("A1"). `custom` has every other
 * text tag under its upper-case name.
 */
export type TrackTags = { readonly [K in TextField]?: string } & {
  readonly [K in ListField]?: readonly string[];
} & { readonly [K in NumberField]?: number } & { readonly [K in FlagField]?: boolean } & {
  readonly custom?: Readonly<Record<string, readonly string[]>>;
};
