// A catalog of any size without any music: what a scan of so many tagged files would have published, its albums looked at
// for pictures.
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import xxhash from 'xxhash-wasm';
import { writeRecord } from '../src/catalog/catalog-record.ts';
import { openCatalogForWriting } from '../src/catalog/open-catalog.ts';
import type { ReadFile } from '../src/catalog/publication.ts';
import { Publisher } from '../src/catalog/publisher.ts';
import { issuedIds } from '../src/catalog/recover-catalog.ts';
import { defaultLibraryOptions } from '../src/library/library-options.ts';
import { realPath } from '../src/library/real-path.ts';
import { parseTemplate, templatePresets } from '../src/library/template.ts';
import { defaultArtwork } from '../src/platform/artwork-settings.ts';

const tracksAnAlbum = 12;
/** The same at every size, so that a listing of the root is the same work. */
const artists = 64;
const batch = 2_000;
/** Room for most of the indexes of a million tracks. */
const cacheKib = 512 * 1024;

/** Writes `<state>/catalog.db` with `tracks` tracks of origin "local" at `originRoot`. */
export async function generateCatalog(
  stateDirectory: string,
  originRoot: string,
  tracks: number,
  signal: AbortSignal,
): Promise<void> {
  const file = path.join(stateDirectory, 'catalog.db');
  const { h64ToString } = await xxhash();
  const template = parseTemplate(templatePresets['default'] ?? '');
  if (template.type !== 'parsed') throw new Error('the default template does not parse');
  const database = openCatalogForWriting(file, Date.now());
  // A catalog that is lost is generated again: no promise about power cuts is needed here.
  database.pragma('synchronous = OFF');
  database.pragma(`cache_size = -${cacheKib}`);
  const publisher = new Publisher(database, {
    template: template.template,
    library: defaultLibraryOptions,
    hash: h64ToString,
    nowMs: Date.now,
  });
  publisher.registerOrigin('local', 'local', originRoot);
  for (let at = 0; at < tracks; at += batch) {
    const files = Array.from({ length: Math.min(batch, tracks - at) }, (_, index) =>
      trackNumber(at + index, h64ToString),
    );
    publisher.publish('local', files, [], () => undefined);
    publisher.invalidated(Number.MAX_SAFE_INTEGER);
    await nextTurn(undefined, { signal });
  }
  publisher.finishScan('local', ['/']);
  publisher.useArtSettings(JSON.stringify(defaultArtwork));
  database.exec('DELETE FROM art_wanted');
  const issued = issuedIds(database);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  writeRecord(file, { clean: true, ...issued }); // otherwise the daemon would check it first
}

function trackNumber(index: number, hash: (text: string) => string): ReadFile {
  const album = Math.floor(index / tracksAnAlbum);
  const artist = `Artist ${album % artists}`;
  const track = (index % tracksAnAlbum) + 1;
  return {
    path: realPath(`${artist}/Album ${album}/${track}.flac`),
    sizeBytes: 30_000_000 + index,
    mtimeNs: String(1_600_000_000_000_000_000n + BigInt(index)),
    state: 'ok',
    reason: null,
    audioFp: hash(String(index)),
    tags: {
      title: `Title of track ${index}`,
      artist,
      artists: [artist],
      album: `Album ${album}`,
      albumArtist: artist,
      genre: ['Jazz'],
      year: 1950 + (album % 70),
      date: String(1950 + (album % 70)),
      track,
      trackTotal: tracksAnAlbum,
      durationMs: 240_000,
      bitrateBps: 900_000,
      sampleRateHz: 44_100,
      channels: 2,
      bitsPerSample: 16,
      codec: 'FLAC',
      container: 'FLAC',
      lossless: true,
    },
  };
}
