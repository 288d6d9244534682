// Programs people point at a mount: each finds and reads the whole library, as its own user would run it.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../fixtures/eventually.ts';
import { encodedFormats, writeMixedLibrary } from '../fixtures/mixed-library.ts';
import { type Library, mountSharedLibrary } from '../fixtures/mounted.ts';

let library: Library;
/** Files whose tags a program can read: two of the library have none. */
const untagged = 2;

beforeAll(async () => {
  library = await mountSharedLibrary({ origin: writeMixedLibrary, args: ['--allow-other'] });
  await library.shell(`chmod 755 ${library.folder}`);
});
afterAll(() => library.remove());

/** An empty folder that nobody may write, as HOME. */
async function home(name: string): Promise<string> {
  const folder = path.join(library.folder, name);
  mkdirSync(folder);
  await library.shell(`chown 65534:65534 ${folder}`);
  return folder;
}
const asNobody = (folder: string) =>
  `cd / && setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=${folder} XDG_RUNTIME_DIR=${folder}`;
const tone = (format: string, index: number) =>
  `$M/Tester/Formats [${format.toUpperCase()}]/0${index + 1} - Tone ${format}.${format}`;

test.each(encodedFormats.map((format, index) => ({ format, index })))(
  'mpv, VLC and ffprobe play $format',
  async ({ format, index }) => {
    const folder = await home(`player-${format}`);
    const file = tone(format, index);
    expect(await library.shell(`mpv --no-config --ao=null --untimed --no-video "${file}"`)).toContain(
      'End of file',
    );
    const played = await library.tryShell(
      `${asNobody(folder)} cvlc -vv --no-video --aout dummy --play-and-exit "${file}"`,
      { limitMs: 30_000 },
    );
    expect(played.code).toBe(0);
    expect(played.stderr).toMatch(/decoder|audio output/);
    expect(played.stderr).not.toMatch(/unable to open|cannot open|read error/i);
    const probed = await library.shell(
      `ffprobe -v error -show_entries format=duration -of csv=p=0 "${file}"`,
    );
    expect(Number(probed)).toBeGreaterThan(0.9);
  },
);

test('seeking as media centres do gives the samples of the origin', async () => {
  for (const at of ['0.9', '0.1', '0.5']) {
    const samples = (file: string) =>
      library.shell(`ffmpeg -v error -ss ${at} -i "${file}" -f s16le - | md5sum`);
    expect(await samples(tone('flac', 0))).toBe(await samples('$O/formats/tone.flac'));
  }
});

test('MPD finds the whole library, and plays from it', async () => {
  const folder = await home('mpd');
  const socket = path.join(folder, 'socket');
  writeFileSync(
    path.join(library.folder, 'mpd.conf'),
    `music_directory "${library.mountPoint}"
db_file "${folder}/db"
state_file "${folder}/state"
log_file "${folder}/log"
bind_to_address "${socket}"
audio_output {
  type "null"
  name "none"
}
`,
  );
  const mpc = `mpc --host=${socket}`;
  await library.shell(`${asNobody(folder)} mpd ${library.folder}/mpd.conf`);
  try {
    await library.shell(`${mpc} update --wait`, { limitMs: 30_000 });
    const listed = (await library.shell(`${mpc} listall`)).split('\n').sort();
    const real = (await library.shell('cd $M && find . -type f'))
      .split('\n')
      .map((name) => name.slice(2))
      .sort();
    expect(listed).toEqual(real);
    await library.shell(
      `${mpc} add "Tester/Formats [FLAC]/01 - Tone flac.flac" && ${mpc} repeat on && ${mpc} play`,
    );
    await eventually('it plays', async () =>
      (await library.shell(`${mpc} status`)).startsWith('Tester - Tone flac\n[playing]'),
    );
  } finally {
    await library.tryShell(`mpd --kill ${library.folder}/mpd.conf || pkill -f ${library.folder}/mpd.conf`);
  }
});

test('beets imports every tagged file where it lies', async () => {
  const folder = await home('beets');
  writeFileSync(
    path.join(library.folder, 'beets.yaml'),
    `directory: ${folder}\nlibrary: ${folder}/library.db\nplugins: []\nimport: {copy: no, write: no, quiet: yes, autotag: no}\n`,
  );
  const beet = `${asNobody(folder)} beet -c ${library.folder}/beets.yaml`;
  await library.shell(`${beet} import -q $M`, { limitMs: 60_000 });
  const { files } = await library.status();
  expect(Number(await library.shell(`${beet} ls -f x | wc -l`))).toBeGreaterThanOrEqual(files - untagged);
});

test('file managers list it and make thumbnails', async () => {
  const folder = await home('files');
  const listed = await library.shell(
    `${asNobody(folder)} gio list -a standard::name,standard::content-type "$M/Tester/Formats [FLAC]"`,
  );
  expect(listed).toContain('01 - Tone flac.flac');
  await library.shell(`ffmpegthumbnailer -i "${tone('flac', 0)}" -o ${folder}/thumbnail.png || true`); // music without a picture
  const before = (await library.status()).fuse.requests['readdirplus'] ?? 0;
  await library.shell('echo 2 > /proc/sys/vm/drop_caches');
  await library.tryShell(
    `${asNobody(folder)} xvfb-run -a --server-args='-screen 0 1024x768x24' timeout -s KILL 8 pcmanfm --no-desktop "$M/Tester/Formats [FLAC]"`,
    { limitMs: 30_000 },
  );
  const after = await library.status();
  expect(after.fuse.requests['readdirplus'] ?? 0).toBeGreaterThan(before);
  expect(after.supervision.restartsTotal).toBe(0);
  await library.shell('find $M | wc -l');
});
