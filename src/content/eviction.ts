// Which chunks go when room is needed: a pure decision. The evictor asks the index for candidates, in this order:
// chunks of no file; chunks of versions that were replaced, those replaced first in front; the least recently used.
// Never one that is pinned, and never one that was written or read a moment ago, whoever is at it.

export interface Candidate {
  readonly chunk: number;
  readonly name: string;
  readonly lengthBytes: number;
  /** Of its last access, as far as cache.db knows. */
  readonly accessedAt: number;
  readonly isPinned: boolean;
}

export interface EvictionRule {
  /** Bytes that are to go; the last victim may make it more. */
  readonly bytes: number;
  readonly most: number;
  /** Accessed later than this: in use. */
  readonly usedSince: number;
  /** A later access that cache.db does not know yet. */
  readonly lastAccess: (chunk: number) => number | undefined;
}

/** In the order given. */
export function chooseVictims(candidates: Iterable<Candidate>, rule: EvictionRule): Candidate[] {
  const victims: Candidate[] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    if (victims.length >= rule.most || bytes >= rule.bytes) break;
    const accessedAt = Math.max(candidate.accessedAt, rule.lastAccess(candidate.chunk) ?? 0);
    if (candidate.isPinned || accessedAt > rule.usedSince) continue;
    victims.push(candidate);
    bytes += candidate.lengthBytes;
  }
  return victims;
}
