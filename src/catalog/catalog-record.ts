// What must be known of catalog.db when it cannot be read: a small file beside it, `catalog.json`.
//
//   clean     the writer closed the catalog in order; without it the file is checked after the next start
//   nodes     no node id above this was ever given out: a catalog that is built anew goes on after it, as the kernel
//   entries   and NFS clients remember ids for longer than any catalog lives; the same for directory offsets
//
// Written by the catalog writer's thread only, replaced by rename and on disk before the ids it covers are used.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

export interface IssuedIds {
  readonly nodes: number;
  readonly entries: number;
}

export interface CatalogRecord extends IssuedIds {
  readonly clean: boolean;
}

/** Ids that are set aside at once, so that the record is written once in a million. */
const reservedAtOnce = 2 ** 20;
/** More than one publication gives out. */
const margin = 2 ** 16;

export function recordPathOf(catalogPath: string): string {
  return catalogPath.replace(/\.db$/, '.json');
}

/** The record of a catalog; null when there is none, or none that can be understood. */
export function readRecord(catalogPath: string): CatalogRecord | null {
  try {
    const found: unknown = JSON.parse(readFileSync(recordPathOf(catalogPath), 'utf8'));
    if (typeof found !== 'object' || found === null) return null;
    const { clean, nodes, entries } = found as Partial<Record<keyof CatalogRecord, unknown>>;
    if (typeof clean !== 'boolean' || !isId(nodes) || !isId(entries)) return null;
    return { clean, nodes, entries };
  } catch {
    return null; // as if there were none: the catalog is checked, and its own ids are all there is to go by
  }
}

export function writeRecord(catalogPath: string, record: CatalogRecord): void {
  const file = recordPathOf(catalogPath);
  const fd = openSync(`${file}.new`, 'w', 0o600);
  try {
    writeSync(fd, `${JSON.stringify(record)}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${file}.new`, file);
}

/** The record of an open catalog that has given out `issued`: what it may give out next is covered. */
export function reserved(issued: IssuedIds): CatalogRecord {
  return {
    clean: false,
    nodes: issued.nodes + reservedAtOnce,
    entries: issued.entries + reservedAtOnce,
  };
}

/** Whether a further publication might give out ids that the record does not cover. */
export function isUsedUp(record: IssuedIds, issued: IssuedIds): boolean {
  return issued.nodes + margin > record.nodes || issued.entries + margin > record.entries;
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value < 2 ** 40;
}
