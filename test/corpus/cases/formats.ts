// Every kind of file that is music here, with ordinary tags; and what is none.
import { execFileSync } from 'node:child_process';
import { filler, makeAiff, makeId3v2, makeWav } from '../../fixtures/audio-files.ts';
import {
  makeDsdiff,
  makeDsf,
  makeM4a,
  makeMonkeysAudio,
  makeMusepack,
  makeMusepack7,
} from '../../fixtures/rare-audio.ts';
import { type CorpusCase, encoded, flac, given, pairsOf, seedOf } from '../corpus-case.ts';

let track = 0;

/** Tags that differ in title and number only. */
function tagsOf(title: string) {
  track += 1;
  return {
    title,
    artist: 'Formats',
    album_artist: 'Formats',
    album: 'All Of Them',
    date: '2001',
    track: String(track),
  };
}

const byFfmpeg = (extension: string, title: string, options: readonly string[] = []): CorpusCase =>
  encoded(`formats/tone.${extension}`, title, tagsOf(title), options);

const ape = (title: string) => {
  const { artist, album, date, track: number } = tagsOf(title);
  return pairsOf({
    Title: title,
    Artist: artist,
    'Album Artist': artist,
    Album: album,
    Year: date,
    Track: number,
  });
};

const id3 = (title: string) => {
  const { artist, album, date, track: number } = tagsOf(title);
  return pairsOf({ TIT2: title, TPE1: artist, TPE2: artist, TALB: album, TDRC: date, TRCK: number });
};

export const formats: readonly CorpusCase[] = [
  byFfmpeg('flac', 'FLAC'),
  byFfmpeg('mp3', 'MP3 with ID3v2.4'),
  given(
    'formats/tone.mp2',
    'MP2 with ID3v2',
    Buffer.concat([
      makeId3v2(4, id3('MP2 with ID3v2')),
      Buffer.from([0xff, 0xfd, 0x84, 0x04]),
      filler(2000, 19),
    ]),
  ),
  byFfmpeg('ogg', 'Ogg Vorbis', ['-c:a', 'libvorbis']),
  byFfmpeg('oga', 'FLAC in Ogg', ['-c:a', 'flac']),
  byFfmpeg('opus', 'Opus', ['-c:a', 'libopus']),
  byFfmpeg('spx', 'Speex', ['-c:a', 'libspeex', '-ar', '16000', '-f', 'spx']),
  byFfmpeg('m4a', 'AAC in MP4', ['-c:a', 'aac']),
  byFfmpeg('m4b', 'ALAC in MP4, tags in front', ['-c:a', 'alac', '-movflags', '+faststart', '-f', 'ipod']),
  byFfmpeg('mp4', 'MP4 without moving pictures', ['-c:a', 'aac']),
  byFfmpeg('wav', 'WAVE with LIST INFO'),
  given(
    'formats/id3.wave',
    'WAVE with an ID3 chunk',
    makeWav([], { id3: makeId3v2(4, id3('WAVE with an ID3 chunk')), seed: 11 }),
  ),
  byFfmpeg('aiff', 'AIFF with an ID3 chunk', ['-write_id3v2', '1']),
  given(
    'formats/id3.aif',
    'AIFF with texts of its own beside ID3',
    makeAiff(
      [
        ['NAME', 'not this one'],
        ['AUTH', 'nor this'],
      ],
      { id3: makeId3v2(3, id3('AIFF of three letters')), seed: 12 },
    ),
  ),
  byFfmpeg('aifc', 'AIFF-C', ['-c:a', 'pcm_mulaw', '-f', 'aiff', '-write_id3v2', '1']),
  byFfmpeg('aac', 'ADTS with ID3v2', ['-f', 'adts', '-write_id3v2', '1']),
  byFfmpeg('wv', 'WavPack'),
  byFfmpeg('wma', 'WMA', ['-c:a', 'wmav2']),
  byFfmpeg('asf', 'ASF', ['-c:a', 'wmav2', '-f', 'asf']),
  byFfmpeg('mka', 'Opus in Matroska', ['-c:a', 'libopus']),
  byFfmpeg('webm', 'WebM without moving pictures', ['-c:a', 'libopus']),
  given('formats/monkey.ape', "Monkey's Audio", makeMonkeysAudio(ape("Monkey's Audio"), { seed: 13 })),
  given('formats/sv8.mpc', 'Musepack SV8', makeMusepack(ape('Musepack SV8'), { seed: 14 })),
  given('formats/sv7.mpc', 'Musepack SV7', makeMusepack7(ape('Musepack SV7'), { seed: 15 })),
  given('formats/one-bit.dsf', 'DSF', makeDsf(id3('DSF'), { seed: 16 })),
  given('formats/one-bit.dff', 'DSDIFF', makeDsdiff(id3('DSDIFF'), { seed: 17 })),
  given(
    'formats/itunes.m4a',
    'MP4 with atoms as iTunes writes them: album artist, free-form artists, sort name, position pairs',
    makeM4a(
      {
        '©nam': ['Atoms'],
        '©ART': ['Ann & Bob'],
        aART: ['Ann Artist'],
        soaa: ['Artist, Ann'],
        '©alb': ['Atomic'],
        '©day': ['2011-05-06T07:00:00Z'],
        trkn: [[3, 12]],
        disk: [[2, 2]],
        cpil: [0],
        '----:ARTISTS': ['Ann', 'Bob'],
        '----:ORIGINALYEAR': ['1999'],
      },
      { seed: 18, moovLast: true },
    ),
  ),
  flac('formats/LOUD.FLAC', 'the extension in capitals is shown in small letters', {
    ARTIST: 'Formats',
    ALBUMARTIST: 'Formats',
    ALBUM: 'All Of Them',
    DATE: '2001',
    TITLE: 'Capital extension',
    TRACKNUMBER: '99',
  }),

  encoded('formats/none/video.mp4', 'moving pictures are no music', {}, [
    ...['-f', 'lavfi', '-i', 'testsrc=duration=1:size=64x64:rate=5', '-c:a', 'aac', '-c:v', 'mpeg4'],
  ]),
  given('formats/none/notes.txt', 'not the extension of music', Buffer.from('text')),
  given('formats/none/tone.tta', 'a format that is not read yet', (place) => {
    execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-f', 'lavfi', '-i', 'sine=duration=1', place]);
  }),
  flac('formats/none/._tone.flac', 'a resource fork of a desktop', { TITLE: 'Fork' }),
  flac('formats/none/half.flac.part', 'a download under way', { TITLE: 'Half' }),
  flac('formats/none/@eaDir/thumb.flac', 'the folder of a storage box', { TITLE: 'Thumb' }),
  given('formats/none/pipe.flac', 'no regular file', (place) => void execFileSync('mkfifo', [place])),
  given('formats/none/no-extension', 'music without an extension', filler(100, seedOf('x'))),
];
