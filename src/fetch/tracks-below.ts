// The files of the tree below a path, as people name it: "Artist/Album", or "" for everything.

import { rootNodeId } from '../catalog/schema.ts';
import type { DirectoryEntry, NodeAttributes, TreeReader } from '../catalog/tree-reader.ts';
import type { ContentKey } from '../content/content-key.ts';
import { MusicfsError } from '../platform/errors.ts';

export interface TrackBelow {
  readonly path: string;
  readonly content: ContentKey;
  readonly sizeBytes: number;
}

const pageEntries = 200;

/** A file yields itself. Throws `not_found` when the path leads nowhere. */
export function* tracksBelow(tree: TreeReader, path: string): Generator<TrackBelow> {
  const parts = path.split('/').filter((part) => part !== '');
  let node: NodeAttributes | DirectoryEntry | undefined = tree.node(rootNodeId);
  for (const part of parts) node = node === undefined ? undefined : tree.lookup(node.id, part);
  if (node === undefined) throw new MusicfsError('not_found', `${path} is not in the library`);
  yield* below(tree, node, parts.join('/'));
}

function* below(tree: TreeReader, node: NodeAttributes, path: string): Generator<TrackBelow> {
  if (!node.isDirectory) {
    yield { path, content: { node: node.id, version: node.version }, sizeBytes: node.size };
    return;
  }
  let after = 0;
  for (;;) {
    const page: DirectoryEntry[] = tree.page(node.id, after, pageEntries);
    for (const entry of page) yield* below(tree, entry, path === '' ? entry.name : `${path}/${entry.name}`);
    const last = page.at(-1);
    if (last === undefined || page.length < pageEntries) return;
    after = last.entryId;
  }
}
