// How chunk files are called: `<2 hex>/<16 hex>`, the xxHash64 of the bytes, in a folder named after its first two
// digits; further chunks of the same hash but other bytes get `-1`, `-2`, ….

/** The name without the folder: what table chunks knows a chunk by. */
export function chunkName(hash: bigint, ordinal: number): string {
  const digits = hash.toString(16).padStart(16, '0');
  return ordinal === 0 ? digits : `${digits}-${ordinal}`;
}

/** Below the folder chunks. */
export function pathOfName(name: string): string {
  return `${name.slice(0, 2)}/${name}`;
}

/** What a name says, or null when it is none of ours. */
export function parseName(name: string): { readonly hash: bigint; readonly ordinal: number } | null {
  const [, digits, ordinal] = /^([0-9a-f]{16})(?:-([1-9]\d{0,8}))?$/.exec(name) ?? [];
  return digits === undefined ? null : { hash: BigInt(`0x${digits}`), ordinal: Number(ordinal ?? 0) };
}

/** The 256 folders. */
export const chunkFolders: readonly string[] = Array.from({ length: 256 }, (_, index) =>
  index.toString(16).padStart(2, '0'),
);

/** Where chunks are written before they get their name. */
export const temporaryFolder = 'tmp';
