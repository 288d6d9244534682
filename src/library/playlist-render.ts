// A playlist of the mount: UTF-8, one relative path a line, so that it plays wherever the mount is, or a copy of it.
// Pure, and the same bytes for the same tracks: its size is known before anybody reads it.
import { withoutControls } from './names.ts';

export type PlaylistLine =
  | {
      readonly type: 'track';
      /** Names from the mount's root down to the file. */
      readonly path: readonly string[];
      readonly seconds?: number;
      readonly artist?: string;
      readonly title?: string;
    }
  /** An entry of which nothing was found: what the playlist said. */
  | { readonly type: 'missing'; readonly text: string };

/** The file. `folder` is where it will lie, names from the mount's root down. */
export function renderPlaylist(lines: readonly PlaylistLine[], folder: readonly string[]): Uint8Array {
  const rendered = lines.map((line) => {
    if (line.type === 'missing') return `# missing: ${withoutControls(line.text)}\n`;
    return `${infoOf(line)}${relativePath(folder, line.path)}\n`;
  });
  return new TextEncoder().encode(`#EXTM3U\n${rendered.join('')}`);
}

function infoOf({ seconds, artist, title }: PlaylistLine & { readonly type: 'track' }): string {
  const label = [artist, title].filter((part) => part !== undefined && part !== '').join(' - ');
  if (seconds === undefined && label === '') return '';
  // Players take -1 for "unknown".
  return `#EXTINF:${seconds === undefined ? -1 : Math.round(seconds)},${withoutControls(label)}\n`;
}

function relativePath(folder: readonly string[], path: readonly string[]): string {
  let common = 0;
  while (common < folder.length && common < path.length - 1 && folder[common] === path[common]) common += 1;
  const relative = [...folder.slice(common).map(() => '..'), ...path.slice(common)].join('/');
  // What players take for a comment, a drive, an address, an absolute path, or blanks that do not count.
  return /^[#\\\s]|^[A-Za-z][A-Za-z0-9+.-]*:/.test(relative) ? `./${relative}` : relative;
}
