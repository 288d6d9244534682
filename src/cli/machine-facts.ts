// What `musicfs doctor` passes along: facts of a machine (gathered by doctor-facts.ts), and what is made of each.

export interface MachineFacts {
  readonly nodeVersion: string;
  /** null: it can be opened; otherwise the errno name. */
  readonly fuseDeviceError: string | null;
  /** As `uname -r` prints it. */
  readonly kernelRelease: string;
  readonly uid: number;
  readonly hasSetpriv: boolean;
  /** Seconds; absent where the kernel has no such setting. */
  readonly requestTimeouts: Readonly<Record<string, number>>;
  readonly mounts: readonly MountFact[];
  /** The helper of ordinary users; null when it is missing. */
  readonly fusermount: { readonly file: string; readonly isSetuid: boolean } | null;
  readonly hasNoNewPrivileges: boolean;
  /** `user_allow_other` in /etc/fuse.conf; null: it may not be read. */
  readonly mayUsersAllowOthers: boolean | null;
  readonly isContainer: boolean;
  /** Mount points below which a new mount is passed on to other mount namespaces. */
  readonly sharedMountPoints: readonly string[];
  /** fs.fuse.max_pages_limit; null where the kernel has no such setting. */
  readonly maxPagesLimit: number | null;
  /** CONFIG_FUSE_PASSTHROUGH; null: the kernel's configuration is not to be found. */
  readonly isPassthroughBuilt: boolean | null;
  /** CAP_SYS_ADMIN among this process's effective capabilities. */
  readonly hasSysAdmin: boolean;
  readonly isInitialUserNamespace: boolean;
}

export interface MountFact {
  readonly point: string;
  /** errno name: nobody serves it any more (EACCES: another user's); `silent`: no answer within a second. */
  readonly state: 'alive' | 'silent' | `E${string}`;
}

export interface Verdict {
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly cause: string;
  /** What to do about it, as a command where there is one. */
  readonly cure?: string;
}

/** Major and minor number of a kernel release. */
export function kernelVersionOf(release: string): readonly [number, number] {
  const [major = 0, minor = 0] = release.split(/[.-]/, 2).map(Number);
  return [major, minor];
}

/** Whether the kernel is of 6.9 or later: resend of unanswered requests, passthrough reads. */
export function isKernelCurrent(release: string): boolean {
  const [major, minor] = kernelVersionOf(release);
  return major > 6 || (major === 6 && minor >= 9);
}
