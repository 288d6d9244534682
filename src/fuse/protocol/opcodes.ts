// Numbers of the FUSE kernel protocol: include/uapi/linux/fuse.h of Linux (protocol 7.45). Little-endian throughout.

export const opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  readlink: 5,
  symlink: 6,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  link: 13,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  setxattr: 21,
  getxattr: 22,
  listxattr: 23,
  removexattr: 24,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  access: 34,
  create: 35,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  fallocate: 43,
  readdirplus: 44,
  rename2: 45,
  lseek: 46,
  copyFileRange: 47,
  tmpfile: 51,
  statx: 52,
  copyFileRange64: 53,
} as const;

/** Operations that would change something: all are answered EROFS. */
export const mutatingOpcodes: ReadonlySet<number> = new Set([
  opcode.setattr,
  opcode.symlink,
  opcode.mknod,
  opcode.mkdir,
  opcode.unlink,
  opcode.rmdir,
  opcode.rename,
  opcode.link,
  opcode.write,
  opcode.setxattr,
  opcode.removexattr,
  opcode.create,
  opcode.fallocate,
  opcode.rename2,
  opcode.copyFileRange,
  opcode.tmpfile,
  opcode.copyFileRange64,
]);

/** Capability bits of INIT: the low word (`flags`) and the high word (`flags2`, already shifted down by 32). */
export const initFlag = {
  asyncRead: 1 << 0,
  exportSupport: 1 << 4,
  doReaddirplus: 1 << 13,
  asyncDio: 1 << 15,
  parallelDirops: 1 << 18,
  abortError: 1 << 21,
  maxPages: 1 << 22,
  cacheSymlinks: 1 << 23,
  noOpendirSupport: 1 << 24,
  explicitInvalData: 1 << 25,
  initExt: 1 << 30,
} as const;

export const initFlag2 = { passthrough: 1 << 5, hasResend: 1 << 7 } as const;

export const openFlag = {
  directIo: 1 << 0,
  keepCache: 1 << 1,
  cacheDir: 1 << 3,
  noFlush: 1 << 5,
  passthrough: 1 << 7,
} as const;

export const notifyCode = { invalInode: 2, invalEntry: 3, resend: 7 } as const;

/** Sizes of the fixed structures in bytes, as the header's layout gives them. */
export const structSize = {
  inHeader: 40,
  outHeader: 16,
  initOut: 64,
  attr: 88,
  entryOut: 128,
  attrOut: 104,
  openOut: 16,
  statfsOut: 80,
  dirent: 24,
  direntplus: 152,
} as const;

/** File types of directory entries (DT_…) and of `mode` (S_IF…). */
export const direntType = { directory: 4, file: 8 } as const;
export const modeType = { directory: 0o040000, file: 0o100000 } as const;
