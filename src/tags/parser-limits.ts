// Every bound of reading tags, in one place. They hold in the child that parses; the parent checks what it is sent
// against the same figures.

export const parserLimits = {
  /** First read of every file: holds the tags of nearly all files without pictures. */
  headBytes: 64 * 1024,
  /** Last read of a file that the head does not hold: 16 KiB of audio, and the small tags that follow it. */
  tailBytes: 20 * 1024,
  /** First read beyond head and tail; each further one is twice as long, up to the maximum. */
  followUpMinBytes: 16 * 1024,
  followUpMaxBytes: 512 * 1024,
  /** Bytes and requests for the tags of one file. Larger pictures than that are not worth their reading. */
  fileBytes: 8 * 1024 * 1024,
  fileRequests: 24,
  /** One buffer of the parser: a tag with its pictures, which are not read but take their place. */
  bufferBytes: 64 * 1024 * 1024,
  /** One value, in bytes of UTF-8; longer ones are cut. */
  valueBytes: 64 * 1024,
  lyricsBytes: 1024 * 1024,
  customValueBytes: 8 * 1024,
  customKeys: 64,
  /** Values of one file; further ones are dropped. */
  values: 512,
  /** Text of one file: 512 values at their longest would be 32 MiB. */
  textBytes: 2 * 1024 * 1024,
  /** One answer line: the text above, escaped at worst, and what is around it. */
  lineBytes: 8 * 1024 * 1024,
  /** Files that one message hands to a child: what may have to be done again when it dies. */
  chunkFiles: 64,
  /** End of a child's standard error that is kept for the report. */
  stderrBytes: 4096,
  /** Until a child is ready; it takes 150 ms on a quiet machine. */
  startMs: 30_000,
  /** Children in a row that end before they are ready; then the pool gives up. */
  failedStarts: 3,
} as const;
