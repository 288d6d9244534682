// Everything that can grow has its bound here, with unit and reason.
export const limits = {
  /** Playlists that are shown. */
  playlists: 2_000,
  /** Their bytes together: they are in memory while they are made ready. */
  playlistBytesInAll: 32 * 1024 * 1024,

  /** KiB of pages the fuse thread's SQLite connection keeps: names of a few large directories. */
  sqliteReaderCacheKib: 2048,
  /** KiB for the writer: a batch touches index pages all over the tree. */
  sqliteWriterCacheKib: 4096,
  /** Pages in the write-ahead log before SQLite moves them over (16 MiB). */
  walCheckpointPages: 4096,
  /** ms a connection waits for a lock that another holds. */
  sqliteBusyMs: 5000,
  /** Backups of the catalog, one a day: a week. */
  backupsKept: 7,
  backupEveryMs: 24 * 3600 * 1000,
  /** Damaged catalogs that are kept for whoever wants to look at them; older ones go. */
  corruptCatalogsKept: 3,
  /** Bytes of resident memory that the daemon should stay below. */
  memoryBytes: 500 * 1024 * 1024,
  /** Share of descriptors or memory in use from which somebody should look, and from which things are given back. */
  resourceHighShare: 0.8,
  resourceScarceShare: 0.95,
  /** ms by which the wall clock may be off the monotonic one between two looks; more is a jump. */
  clockJumpMs: 5_000,
  /** Jumps that are remembered, for the times of files near them. */
  clockJumpsKept: 16,
  /** Crash reports that are kept in the state directory; older ones go. */
  crashReportsKept: 20,
  /** Files in one publication, i.e. one transaction and one step of progress. */
  publishBatchFiles: 500,
  /** ms after a scan or a look for pictures, when its garbage has been collected, until memory is given back. */
  quietMs: 3_000,
  /** Batches parsed ahead of the writer: keeps both cores busy, bounds what waits in memory. */
  scanBatchesInFlight: 4,
  /** Directories listed at once on one local origin. */
  localOriginConcurrency: 8,
  /** The same for an origin over a network; its gate lets fewer through. */
  remoteOriginConcurrency: 16,
  /** ms for which a file that moved in the tree answers to its former name as well. */
  formerNameMs: 300_000,
  /** ms a tombstone of a name keeps its directory offset valid: a week. */
  tombstoneMs: 7 * 24 * 3600 * 1000,
  /** ms a replaced content version stays described for handles that still read it: a day. */
  oldVersionMs: 24 * 3600 * 1000,
  /** Files an origin may lose in one scan without a person's word, whatever its size … */
  removalGuardFiles: 50,
  /** Tracks of one folder and album that are judged by each other; more are a heap of files, not an album. */
  groupTracks: 2_000,
  /** Tracks that are given new places in one transaction, when settings have changed: 20 ms of the writer thread. */
  layoutTracks: 200,
  /** … or this share of it, when that is more. */
  removalGuardShare: 0.1,

  /** Bytes of one READ request: what INIT negotiates with 256 pages. */
  readRequestBytes: 1024 * 1024,
  /** Bytes of the buffer a request is read into; writes are refused, so only names and headers arrive. */
  requestBufferBytes: 64 * 1024,
  /** Requests the kernel may have in flight of its own accord (read-ahead); its default of 12 throttles. */
  maxBackground: 256,
  congestionThreshold: 192,
  /** Seconds the kernel may keep a name or attribute; exact by notifications. */
  entryTtlSeconds: 86_400,
  /** Seconds the kernel may remember that a name does not exist. */
  negativeTtlSeconds: 1,
  /** Bytes of read buffers that may wait for a disk at once. */
  readBufferBytes: 32 * 1024 * 1024,
  /**
   * Reads that wait on the pool at once. A hung disk holds a thread for each, for ever; the rest queue. With the calls of
   * the lanes they stay far below the size of the pool, so that the fuse thread's poll always finds a thread.
   */
  readsInPool: 12,
  /** Threads of libuv's pool: 12 reads, 8 calls of the local lane, 32 on the cache disk, polls and notifications. */
  poolThreads: 64,
  /** ms after which a read that a disk does not answer fails with EIO. */
  readDeadlineMs: 30_000,
  /** ms after which a read of a local disk is tried at another holder of the file, where there is one. */
  replicaAfterMs: 5_000,
  /** ms that reads under way are given at the end of a mount; with what goes before they end within 5 s. */
  drainMs: 4_000,
  /** ms for which a range that failed fails at once: the kernel asks twice for a page. */
  failedRangeMs: 2000,
  /** Files of origins kept open by the reader; least recently used ones are closed. */
  openOriginFiles: 512,
  /** ms after which an unused origin file is closed, so that a disk can be unmounted. */
  originFileIdleMs: 60_000,
  /** ms a file must have stood still before the kernel may read it itself: whoever wrote it has finished. */
  passthroughStillMs: 60_000,
  /** ms an open waits for a disk to hand the file to the kernel; past that the daemon reads it, the disk permitting. */
  passthroughOpenMs: 500,
  /** Opens that wait on the pool at once; the disk hangs then, and further ones do not wait. */
  passthroughOpensInPool: 4,
  /** ms after which an origin on which nothing was opened is let go, so that its disk can be unmounted. */
  originViewIdleMs: 10_000,
  /** ms the fuse thread sleeps at most: its heartbeat. */
  fusePollMs: 1000,
  /**
   * ms the fuse thread goes on looking for the next request before it sleeps: a program's next call comes a few us after
   * its last, and waking costs more than looking (open-read-close of small files: a fifth of the time).
   */
  fuseLookAgainMs: 0.03,
  /** ms without a heartbeat of the fuse thread after which it counts as hung. */
  fuseThreadHungMs: 5000,

  /** Origins over a network: ms for a call in all, for its first byte, and between two bytes. */
  networkCallMs: 30_000,
  firstByteMs: 10_000,
  stallMs: 10_000,
  /** Calls that wait for one origin; further ones are refused. */
  originQueue: 4096,
  /** ms between two probes of an origin, the same while no origin is up, and after a failure that is no verdict yet. */
  probeEveryMs: 30_000,
  offlineProbeEveryMs: 60_000,
  probeAgainMs: 5_000,
  /** ms a probe may take, of whatever kind the origin is. */
  probeMs: 5_000,
  /** ms after which a read that failed is tried again, the last origin that may serve it permitting. */
  retryDelaysMs: [100, 500, 2000],
  retryJitter: 0.2,
  /** Bytes of the first range that a read of an uncached file asks for, and what its start is rounded down to. */
  firstRangeBytes: 256 * 1024,
  blockBytes: 64 * 1024,
  /** Bytes read ahead of a sequential reader, at most: this far (300 MB/s from 50 ms away), for one file, for all. */
  readAheadBytes: 16 * 1024 * 1024,
  inFlightFileBytes: 16 * 1024 * 1024,
  inFlightBytes: 64 * 1024 * 1024,
  /** Files that are remembered as served by another than the origin whose word counts. */
  servedElsewhere: 10_000,
  /** Bytes of a file that wait to be written, from which on nothing more of it is read ahead. */
  storeBehindBytes: 32 * 1024 * 1024,
  /** Bytes compared before another origin goes on with a file of which something is held. */
  overlapBytes: 4096,
  /** ms after which what is known of a file nobody reads is forgotten. */
  idleFileMs: 10_000,
  /** Files that are being fetched or were a moment ago. */
  fetchedFiles: 4096,
  /** Reads of one mount that wait for origins over a network; further ones fail. */
  fetchesWaiting: 1024,
  /** Origins: entries of one page of a listing. */
  listingPageEntries: 1000,
  /** Links on one way, the kernel's own number, and parts of a path that are ahead while it is followed. */
  linksFollowed: 40,
  linkParts: 4096,
  /** Links of one origin that a scan looks at: a library may be made of them. */
  linksInScan: 200_000,
  /** Folders that a scan remembers as met and left out. What lies below others is removed under the guard of removals. */
  hiddenFolders: 100_000,
  /** Missing files asked for at once: a message of some 100 KB. */
  missingPageFiles: 1000,
  /** Names of one directory looked at together: keeps the pool busy, bounds the promises. */
  originLooksAtOnce: 32,
  /** Bytes read from a file at once; one such block is read ahead of whoever reads. */
  originReadBlockBytes: 256 * 1024,
  /** ms before each further try when a mounted share forgot a file (ESTALE). */
  staleHandlePausesMs: [100, 200, 400],
  /** ms before each further try when the connection of a mounted share is just being made anew. */
  shareReconnectPausesMs: [100, 100, 100],
  /** Mounted shares. Bytes of one read that may be on their way out of the share's process. */
  hostCreditBytes: 1024 * 1024,
  /** ms after which a process that nobody uses ends. */
  hostIdleMs: 60_000,
  /** ms in which the process has to answer an abort, and then to be gone once it is killed. */
  hostAnswerMs: 1_000,
  hostDeathMs: 1_000,
  /** Processes stuck in the kernel that are left behind; further calls fail until one is gone. */
  hostsAbandoned: 4,
  /** Threads for the file calls of a share: four calls, each with a block ahead, and looks of a listing. */
  hostPoolThreads: 16,
  /** End of the process's standard error that is kept for messages. */
  hostStderrBytes: 4096,

  /** SFTP. Connections to one origin: one is not enough for a scan and a listener, more are unfriendly to a NAS. */
  sftpConnections: 4,
  /** ms after which a connection that nobody uses is closed. */
  sftpIdleMs: 60_000,
  /** ms from the address to the first word of SFTP. */
  sftpHandshakeMs: 10_000,
  /** ms of silence until the server is asked whether it is there, and how many such questions may go unanswered. */
  sftpKeepaliveMs: 15_000,
  sftpKeepalivesMissed: 3,
  /** ms without a word from a server that owes one, after which new calls take another connection. */
  sftpSilenceMs: 1_000,
  /** Bytes of one READ: what every server grants. */
  sftpReadBytes: 32 * 1024,
  /** READs of one transfer under way: 2 MiB, which is what ssh2 lets a server send before it hears of it. */
  sftpReadsAtOnce: 64,
  /** Paths of files that are remembered as such (100 bytes each). */
  sftpKnownFiles: 10_000,
  /** READDIRs of one listing under way: OpenSSH gives 100 names with each. */
  sftpListingsAhead: 8,
  /** Bytes of one known_hosts file. */
  knownHostsBytes: 16 * 1024 * 1024,

  /** Driver fuse-native. Bytes of one READ request: what libfuse 2.9 takes. */
  pathDriverReadBytes: 128 * 1024,
  /** Seconds the kernel may keep a name or attribute: it cannot be told, so a change shows after this. */
  pathDriverTtlSeconds: 1,
  /** Files open at once; further ones get ENFILE. */
  pathDriverHandles: 65_536,

  // Origins over HTTP, credentials, names of hosts.
  /** Connections one S3 or WebDAV origin has at most; further requests wait for one. Idle ones are kept that many ms. */
  httpConnections: 4,
  httpIdleMs: 90_000,
  /** ms until a connection that nobody answers is given up, although whoever wanted it may be gone. */
  httpConnectMs: 10_000,
  /** Redirects followed in a row, on the same host only. */
  httpRedirects: 3,
  /** Bytes of an unwanted answer that are read to keep its connection. */
  httpDiscardBytes: 64 * 1024,
  /** Bytes of an answer that is read whole: a directory of about 100,000 files by PROPFIND. */
  webdavListingBytes: 64 * 1024 * 1024,
  /** Bytes of a file with credentials. */
  credentialsFileBytes: 64 * 1024,
  /** ms until a host name that no name server answers for counts as not resolved. */
  resolveHostMs: 4_000,
  /** ms for which the last good addresses of a host are used while the name servers fail … */
  lastGoodAddressMs: 60_000,
  /** … and ms after a failure until the servers are asked again for a new connection. */
  resolveAgainMs: 5_000,
  /** Hosts whose addresses are remembered. */
  hostsRemembered: 64,
  /** Domains of resolv.conf's search list that are tried: what libc does. */
  searchDomains: 6,
  /** The cache of bytes. Of a group of chunks that is written, synced and recorded together: bytes, and ms it may wait. */
  chunkGroupBytes: 16 * 1024 * 1024,
  chunkGroupMs: 1000,
  /** Chunks recorded in one transaction: 2 ms of the fetch thread. */
  chunksPerCommit: 64,
  /** Bytes of chunks that wait for the disk; further ones are not kept. Two groups while one is being written. */
  chunksWaitingBytes: 64 * 1024 * 1024,
  /** Calls on the cache disk at once, but for the writing and naming of chunks, which go together. */
  cacheCallsAtOnce: 32,
  /** ms after which the thread that writes chunk files ends, when there is nothing to write. */
  diskThreadIdleMs: 5_000,
  /** ms after which a call on the cache disk counts as never answered; of a sync of all, and of what is written together. */
  cacheDiskMs: 10_000,
  cacheSyncMs: 60_000,
  /** So many failures within so many ms, and the cache disk counts as dead. */
  cacheFailures: 5,
  cacheFailuresWithinMs: 30_000,
  /** ms between two looks at the cache disk's free space, and at whether cache.db is still the file it was. */
  cacheSampleMs: 60_000,
  /** Victims of one step of eviction, and batches of one step of housekeeping. */
  evictionBatch: 64,
  evictionBatchesAtOnce: 16,
  /** Share of the cache that one step of housekeeping evicts at most: a disk that others fill shrinks it step by step. */
  evictionShareAtOnce: 0.1,
  /** Changed access times that are kept in memory. */
  accessTimesWaiting: 100,
  /** Pages of a manifest that one step of housekeeping or clearing takes up. */
  manifestPagesAtOnce: 8,
  /** Pages in the log of cache.db before SQLite moves them over (4 MiB): moving blocks the fetch thread. */
  cacheCheckpointPages: 1024,
  /** Damaged cache.db files that are kept for whoever wants to look at them. */
  corruptCacheIndexesKept: 1,
  /** Bytes of verified chunks that the fuse thread keeps: of 200 readers each the one it is in. */
  memoryTierBytes: 16 * 1024 * 1024,
  /** Decoded pages of manifests that the fuse thread keeps (20 KB each). */
  manifestPagesKept: 64,
  /** ms between two tries of the fuse thread to open cache.db, and two looks whether it is another file now. */
  cacheLookMs: 1000,
  /** ms the fuse thread waits for a lock on cache.db: only while somebody recovers it. */
  cacheReaderBusyMs: 5,
  /** Chunks that were served or found bad, until the fetch thread is told; older ones are forgotten. */
  chunksToTell: 4096,
  /** Chunks of a scrub, or this share of all when that is more. */
  scrubChunks: 100,
  scrubShare: 0.01,
  /** Share of bad ones from which all chunks are looked at. */
  scrubAlarmShare: 0.01,

  // Pictures of albums.
  /** Bytes and pixels of a picture that is looked at; what is larger shows nothing. */
  pictureInputBytes: 10_000_000,
  picturePixels: 64_000_000,
  /** Pixels of one side: what the JPEG library writes. */
  pictureSidePixels: 65_500,
  /** Entries of `artwork.priority`, and characters of one. */
  picturePriorityEntries: 32,
  picturePriorityCharacters: 255,
  /** Bytes of a picture that is made: 64 megapixels of photograph take 20 MB. */
  renditionBytes: 32 * 1024 * 1024,
  /** Pictures that wait for the picture process, and their bytes; further ones are refused. */
  renditionsWaiting: 64,
  renditionsWaitingBytes: 64 * 1024 * 1024,
  /** ms until the picture process is ready, which takes 300 on a quiet machine; for one picture; idle until its end. */
  renditionStartMs: 10_000,
  renditionMs: 10_000,
  renditionIdleMs: 30_000,
  /** ms in which the process has to be gone once it is killed. */
  renditionDeathMs: 1_000,
  /**
   * Bytes the process may set aside beyond what it starts with: a lossless WebP of 64 megapixels takes 1100 MiB, of which it
   * uses 600 (as does the hungriest of all, a PNG of 16 bits).
   */
  renditionMemoryBytes: 1200 * 1024 * 1024,
  /** End of its standard error that is kept for messages. */
  renditionStderrBytes: 4096,
  /** Processes for pictures, of one kind, that are stuck in the kernel; further pictures fail until one is gone. */
  pictureProcessesAbandoned: 4,
  /**
   * Bytes of a music file that are read for its pictures: one picture of the longest that is looked at, and tags. A file over
   * a network is fetched up to there, its beginning first, which is enough for most.
   */
  pictureReadBytes: 12 * 1024 * 1024,
  pictureHeadBytes: 1024 * 1024,
  /** Pictures in one music file that are looked at. */
  picturesInFile: 32,
  /** Music files of one album that are opened in search of a picture. */
  pictureFilesOpened: 5,
  /** ms for one file; bytes beyond what the process starts with: the tag, the picture out of it, the picture on its way. */
  extractionMs: 10_000,
  extractionMemoryBytes: 256 * 1024 * 1024,
  /** ms of processor time in that while, below which it was the disk that let it wait. */
  extractionCpuMs: 2_000,
  /** Questions that wait for the extraction process; further ones are refused. */
  extractionsWaiting: 64,
  /** Times that a process may die of one picture or file; then it is refused. */
  pictureDeaths: 2,
  /** Pictures and files of which it is remembered that they were of no use (500 bytes each). */
  picturesRemembered: 4096,
  /** Albums that the catalog names at once. */
  artworkPage: 64,
  /** ms from the start until the first look; between two looks while a scan runs. */
  artworkAfterMs: 10_000,
  artworkScanLookMs: 5_000,
  /** ms until albums are tried again whose origin was away, or all when the disk was full; doubled each time, up to the last. */
  artworkAgainMs: 30_000,
  artworkAgainAtMostMs: 600_000,

  // Files that musicfs makes itself.
  /** Bytes of one. */
  madeFileBytes: 32 * 1024 * 1024,
  /** Files that wait to be written; further ones are refused. ms for each call on their disk. */
  madeFilesWaiting: 64,
  madeDiskMs: 10_000,
  /** ms since a file was made, or was asked for anew, in which it stays although nobody knows of it yet. */
  madeFileGraceMs: 600_000,
  /** ms from the start, and between two such rounds, within which no scan has what is shown no more removed. */
  sweepAfterMs: 900_000,
  sweepEveryMs: 86_400_000,

  /** One file in a parser process: wall and processor time in ms, heap and resident memory in MB; idle ms until its end. */
  parser: { wallMs: 30_000, cpuMs: 10_000, heapMb: 256, rssMb: 512, idleMs: 60_000 },
} as const;
