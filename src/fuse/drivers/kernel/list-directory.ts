// READDIR and READDIRPLUS: one page of a directory, filled until the kernel's buffer is full.
//
// Offsets 1 and 2 lead behind "." and ".."; an entry's own offset is its id above these, so it stays valid whatever
// happens to other entries and to the daemon.
import type { NodeAttributes } from '../../../catalog/tree-reader.ts';
import { limits } from '../../../platform/limits.ts';
import type { Answers } from '../../answers.ts';
import { DirectoryPage, type ReplyAttributes, type Unique } from '../../protocol/encode-reply.ts';

const entriesPerQuery = 128;
const firstEntryOffset = 2;

export interface ListedPage {
  readonly directoryId: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** READDIRPLUS: each entry with its attributes, as `shown` gives them. */
  readonly isPlus: boolean;
  readonly shown: (node: NodeAttributes) => ReplyAttributes;
}

/** Writes the reply into `out`; returns its length, or null when not even the first name fits. */
export function encodeListing(
  out: Buffer,
  unique: Unique,
  answers: Answers,
  asked: ListedPage,
): number | null {
  const page = new DirectoryPage(out, asked.sizeBytes);
  const add = (
    name: string,
    node: Pick<NodeAttributes, 'id' | 'isDirectory'>,
    offset: number,
    shown: ReplyAttributes | null,
  ) =>
    asked.isPlus
      ? page.addEntry(
          name,
          node.id,
          node.isDirectory,
          offset,
          shown,
          answers.isVolatile(node.id) ? 0 : limits.entryTtlSeconds,
        )
      : page.addName(name, node.id, node.isDirectory, offset);
  let { offset } = asked;
  if (offset < 0) return page.finish(unique);
  if (offset === 0) {
    if (!add('.', { id: asked.directoryId, isDirectory: true }, 1, null)) return null;
    offset = 1;
  }
  if (offset === 1) {
    const parent = answers.parent(asked.directoryId);
    if (!add('..', { id: parent, isDirectory: true }, firstEntryOffset, null)) return page.finish(unique);
    offset = firstEntryOffset;
  }
  for (;;) {
    const entries = answers.page(asked.directoryId, offset - firstEntryOffset, entriesPerQuery);
    for (const entry of entries) {
      const next = entry.entryId + firstEntryOffset;
      if (!add(entry.name, entry, next, asked.isPlus ? asked.shown(entry) : null)) return page.finish(unique);
      offset = next;
    }
    if (entries.length < entriesPerQuery) return page.finish(unique);
  }
}
