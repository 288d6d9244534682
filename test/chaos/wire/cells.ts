// The matrix of wire scenes: which kind of origin, which fault on the way to it, and how much of its files is kept when the
// fault comes. Pure.
export const wireKinds = ['local', 'nfs', 'sftp', 's3', 'webdav'] as const;
export const wireFaults = [
  'healthy',
  'slow',
  'flapping',
  'truncating',
  'corrupting',
  'down',
  'gone',
] as const;
export const cacheStates = ['cold', 'half', 'warm'] as const;

export type WireKind = (typeof wireKinds)[number];
export type WireFault = (typeof wireFaults)[number];
export type CacheState = (typeof cacheStates)[number];

export interface Cell {
  readonly kind: WireKind;
  readonly fault: WireFault;
  readonly state: CacheState;
}

export const nameOf = ({ kind, fault, state }: Cell): string => `${kind}/${fault}/${state}`;

/** Every cell: those of one kind follow each other, what does not come back last. */
export function allCells(): Cell[] {
  return wireKinds.flatMap((kind) =>
    wireFaults.flatMap((fault) => cacheStates.map((state) => ({ kind, fault, state }))),
  );
}

/**
 * Fewest cells in which every two values of two columns meet. Kinds and faults alone need one for each of their pairs; the
 * third column goes round with both, so that it meets each value of either. It begins so that what takes longest, to find out
 * that an origin is gone that nobody needs, falls to the kind with the shortest way.
 */
export function pairwiseCells(): Cell[] {
  return wireKinds.flatMap((kind, row) =>
    wireFaults.flatMap((fault, column) => {
      const state = cacheStates[(row + column + 2) % cacheStates.length];
      return state === undefined ? [] : [{ kind, fault, state }];
    }),
  );
}

/** Whether what comes over the wire is protected by whoever sends it: SSH notices a bit that was turned, the others do not. */
export function isSealed(kind: WireKind): boolean {
  return kind === 'sftp';
}

/** `kind/fault/state`, each of them a name or `*`. Throws when it means no cell. */
export function cellsFrom(pattern: string): Cell[] {
  const [kind = '*', fault = '*', state = '*'] = pattern.split('/');
  const found = allCells().filter(
    (cell) =>
      (kind === '*' || cell.kind === kind) &&
      (fault === '*' || cell.fault === fault) &&
      (state === '*' || cell.state === state),
  );
  if (found.length === 0) throw new Error(`no cell ${pattern}: kind/fault/state, * for all`);
  return found;
}
