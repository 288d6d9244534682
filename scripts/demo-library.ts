// The demonstration library: real, freely licensed music. The soundtrack of Endgame: Singularity from the Debian package
// `singularity-music` (downloaded and unpacked, not installed); offline, tones made with ffmpeg in four formats.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isOnPath } from '../src/platform/programs.ts';
import { needPrograms, refreshPackageLists } from './system-packages.ts';

export interface DemoLibrary {
  readonly music: string;
  readonly state: string;
}

/** Gets the music unless it is there already. Throws an Error with the line that helps. */
export function demoLibrary(): DemoLibrary {
  const base = path.join(cacheHome(), 'musicfs', 'demo');
  const music = path.join(base, 'music');
  mkdirSync(base, { recursive: true });
  if (!existsSync(music)) {
    const work = mkdtempSync(path.join(base, 'incoming-'));
    try {
      const made = downloadedMusic(work) ?? generatedMusic(work);
      renameSync(made, music); // whole or not at all
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return { music, state: path.join(base, 'state') };
}

/** Where caches go; also with an empty or unwritable home. */
export function cacheHome(): string {
  const { XDG_CACHE_HOME, HOME } = process.env;
  if (XDG_CACHE_HOME?.startsWith('/')) return XDG_CACHE_HOME;
  return HOME?.startsWith('/') ? path.join(HOME, '.cache') : path.join(tmpdir(), 'musicfs-cache');
}

function downloadedMusic(work: string): string | null {
  if (!isOnPath('apt-get') || !isOnPath('dpkg-deb')) return null;
  console.error('getting the demonstration music: Debian package singularity-music');
  for (const isSecondTry of [false, true]) {
    if (isSecondTry && process.getuid?.() === 0) refreshPackageLists();
    try {
      execFileSync('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', 'singularity-music'], {
        cwd: work,
        stdio: 'ignore',
        timeout: 120_000,
      });
      const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
      if (archive === undefined) continue;
      execFileSync('dpkg-deb', ['-x', archive, 'unpacked'], { cwd: work, stdio: 'ignore' });
      return path.join(work, 'unpacked/usr/share/games/singularity/music');
    } catch {
      // Not in the lists yet, or offline: try once more, then make music ourselves.
    }
  }
  return null;
}

const formats = [
  { extension: 'flac', codec: ['-c:a', 'flac'] },
  { extension: 'mp3', codec: ['-c:a', 'libmp3lame', '-b:a', '128k', '-id3v2_version', '4'] },
  { extension: 'ogg', codec: ['-c:a', 'libvorbis'] },
  { extension: 'm4a', codec: ['-c:a', 'aac', '-b:a', '128k'] },
] as const;

function generatedMusic(work: string): string {
  const line = needPrograms(['ffmpeg']);
  if (line !== null)
    throw new Error(`no music could be downloaded, and ffmpeg is needed to make some: ${line}`);
  console.error('making the demonstration music with ffmpeg');
  const music = path.join(work, 'music');
  for (const [albumIndex, { extension, codec }] of formats.entries()) {
    const album = `Tones in ${extension.toUpperCase()}`;
    mkdirSync(path.join(music, album), { recursive: true });
    for (const track of [1, 2, 3, 4]) {
      const tags = {
        title: `Tone ${track}`,
        artist: 'The Generators',
        album_artist: 'The Generators',
        album,
        track: `${track}/4`,
        date: String(2020 + albumIndex),
        genre: 'Test',
      };
      execFileSync(
        'ffmpeg',
        [
          ...['-v', 'error', '-f', 'lavfi', '-i', `sine=frequency=${220 * track}:duration=${10 + track}`],
          ...Object.entries(tags).flatMap(([key, value]) => ['-metadata', `${key}=${value}`]),
          ...codec,
          path.join(music, album, `${track}.${extension}`),
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
    }
  }
  cpSync(new URL('../LICENSE', import.meta.url), path.join(music, 'LICENSE'));
  return music;
}
