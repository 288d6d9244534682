// Which names of an origin are music by default, and which are never looked at.

/** Extensions that are candidates, lower case. What is inside decides how a file is parsed. */
export const musicExtensions: readonly string[] = [
  ...['flac', 'mp3', 'mp2', 'ogg', 'oga', 'opus', 'spx', 'm4a', 'm4b', 'mp4', 'wav', 'wave', 'bwf'],
  ...['aif', 'aiff', 'aifc', 'aac', 'ape', 'wv', 'mpc', 'wma', 'asf', 'dsf', 'dff', 'mka', 'webm'],
];

const ignoredNames: ReadonlySet<string> = new Set([
  // storage boxes
  ...['@eaDir', '#recycle', '#snapshot', '.@__thumb', '@Recycle', '@Recently-Snapshot'],
  ...['.snapshot', '.snapshots', '.zfs', 'lost+found'],
  // desktops
  ...['$RECYCLE.BIN', 'System Volume Information', '.AppleDouble', '.Spotlight-V100', '.fseventsd'],
  ...['.DS_Store', 'Thumbs.db', 'desktop.ini'],
  // transfers and their histories
  ...['.stversions', '.git'],
]);

const ignoredPrefixes = ['.Trash-', '._', '.syncthing.'] as const;
const ignoredSuffixes = ['.part', '.tmp', '.crdownload', '.!qB'] as const;

/** Whether a file or folder of this name is neither listed nor walked. Exact case, as the programs write them. */
export function isIgnoredName(name: string): boolean {
  return (
    ignoredNames.has(name) ||
    ignoredPrefixes.some((prefix) => name.startsWith(prefix)) ||
    ignoredSuffixes.some((suffix) => name.endsWith(suffix))
  );
}
