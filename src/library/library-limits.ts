// What may grow in the pure code and where it ends, with unit and reason. It stands here, as library/ imports nothing.
export const libraryLimits = {
  /** Bytes of one `.musicfsignore`: a few thousand lines, more is no file of rules. */
  ignoreFileBytes: 64 * 1024,
  /** Patterns of one file, and of all files that apply at one place: each is tried on each name below. */
  ignorePatterns: 1000,
  ignorePatternsInForce: 2000,
  /** Bytes of one pattern. */
  ignoreLineBytes: 1024,
  /** Runs like "**" in one pattern: each one more multiplies the ways in which a path may match by its depth. */
  ignoreDoubleStars: 2,
  /** Folders between rules and a path, beyond which patterns with a "/" no longer match: no music lies that deep. */
  ignoreDepth: 32,
  /** Paths tried until a matcher, which remembers each of its answers, is replaced by a new one. */
  ignoreAnswersKept: 1024,
  /** Files of rules of one origin, and their bytes together: all of them are in memory while it is walked. */
  ignoreFiles: 1000,
  ignoreBytes: 256 * 1024,

  /** Folders and the name in a path that a tag gives: each folder costs a row for each file. */
  pathFieldParts: 32,

  /** Bytes of one playlist: 50,000 entries of 80 bytes. */
  playlistBytes: 4 * 1024 * 1024,
  playlistEntries: 50_000,
  /** Bytes of one line: the longest path, each byte written as "%41". */
  playlistLineBytes: 12 * 1024,
} as const;
