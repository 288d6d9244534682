// How musicfsd (and `musicfs mount` in the foreground) ends. Service managers act on these numbers.
export const exitCodes = {
  stopped: 0,
  refused: 1,
  usage: 2,
  crashed: 70,
} as const;
