// How musicfsd (and `musicfs mount` in the foreground) ends. Service managers act on these numbers.
export const exitCodes = {
  stopped: 0,
  refused: 1,
  usage: 2,
  crashed: 70,
  /** The mount is left to the next life. */
  handedOver: 75,
  /** And the number of a signal, when it came a second time. */
  signalled: 128,
} as const;
