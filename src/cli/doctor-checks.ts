// What `musicfs doctor` makes of the facts of a machine. Pure: doctor-facts.ts gathers, this judges.

export interface MachineFacts {
  readonly nodeVersion: string;
  /** null: it can be opened; otherwise the errno name. */
  readonly fuseDeviceError: string | null;
  /** As `uname -r` prints it. */
  readonly kernelRelease: string;
  readonly uid: number;
  readonly hasFusermount: boolean;
  readonly hasSetpriv: boolean;
  /** Seconds; absent where the kernel has no such setting. */
  readonly requestTimeouts: Readonly<Record<string, number>>;
  readonly mounts: readonly MountFact[];
}

export interface MountFact {
  readonly point: string;
  /** errno name: nobody serves it any more; `silent`: no answer within a second. */
  readonly state: 'alive' | 'silent' | `E${string}`;
}

export interface Verdict {
  readonly check: string;
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly cause: string;
  /** What to do about it, as a command where there is one. */
  readonly cure?: string;
}

export function examine(facts: MachineFacts): Verdict[] {
  return [
    examineNode(facts),
    examineFuseDevice(facts),
    examineKernel(facts),
    examineMountRight(facts),
    ...examineTimeouts(facts),
    examineSetpriv(facts),
    ...examineMounts(facts),
  ];
}

function examineNode({ nodeVersion }: MachineFacts): Verdict {
  const check = 'node';
  if (Number.parseInt(nodeVersion, 10) >= 24) return { check, verdict: 'ok', cause: `Node ${nodeVersion}` };
  return { check, verdict: 'fail', cause: `Node ${nodeVersion}, 24 is needed`, cure: 'npm ci' };
}

function examineFuseDevice({ fuseDeviceError }: MachineFacts): Verdict {
  const check = 'fuse device';
  switch (fuseDeviceError) {
    case null:
      return { check, verdict: 'ok', cause: '/dev/fuse opens' };
    case 'ENOENT':
      return { check, verdict: 'fail', cause: '/dev/fuse is missing', cure: 'modprobe fuse' };
    case 'EACCES':
    case 'EPERM':
      return { check, verdict: 'fail', cause: '/dev/fuse may not be opened', cure: 'chmod 0666 /dev/fuse' };
    default:
      return {
        check,
        verdict: 'fail',
        cause: `/dev/fuse does not open: ${fuseDeviceError}`,
        cure: 'modprobe fuse',
      };
  }
}

function examineKernel({ kernelRelease }: MachineFacts): Verdict {
  const check = 'kernel';
  const [major = 0, minor = 0] = kernelRelease.split(/[.-]/, 2).map(Number);
  if (major > 6 || (major === 6 && minor >= 9)) {
    return { check, verdict: 'ok', cause: `Linux ${kernelRelease}: resend after a crash, passthrough reads` };
  }
  return {
    check,
    verdict: 'warn',
    cause: `Linux ${kernelRelease}: no resend (readers see an error when the daemon crashes), no passthrough reads`,
    cure: 'a kernel of 6.9 or later gives both',
  };
}

function examineMountRight({ uid, hasFusermount }: MachineFacts): Verdict {
  const check = 'right to mount';
  if (uid === 0) return { check, verdict: 'ok', cause: 'running as root' };
  if (hasFusermount) return { check, verdict: 'ok', cause: `uid ${uid} mounts through fusermount3` };
  return {
    check,
    verdict: 'fail',
    cause: `uid ${uid} cannot mount without fusermount3`,
    cure: 'apt-get install fuse3',
  };
}

function examineTimeouts({ requestTimeouts }: MachineFacts): Verdict[] {
  const limits = Object.entries(requestTimeouts).filter(([, seconds]) => seconds !== 0);
  if (limits.length === 0) {
    return [{ check: 'request timeout', verdict: 'ok', cause: 'the kernel sets no limit for requests' }];
  }
  return limits.map(([name, seconds]) => ({
    check: 'request timeout',
    verdict: 'warn',
    cause: `fs.fuse.${name} is ${seconds} s: the kernel ends the whole mount when one request takes longer`,
    cure: `sysctl -w fs.fuse.${name}=0`,
  }));
}

function examineSetpriv({ uid, hasSetpriv }: MachineFacts): Verdict {
  const check = 'tag parsers';
  if (uid !== 0) return { check, verdict: 'ok', cause: `they run as uid ${uid}` };
  if (hasSetpriv) return { check, verdict: 'ok', cause: 'setpriv takes root from them' };
  return {
    check,
    verdict: 'warn',
    cause: 'setpriv is missing: they cannot be run without root',
    cure: 'apt-get install util-linux',
  };
}

function examineMounts({ mounts }: MachineFacts): Verdict[] {
  if (mounts.length === 0) return [{ check: 'mounts', verdict: 'ok', cause: 'no musicfs mount here' }];
  return mounts.map(({ point, state }): Verdict => {
    const check = 'mounts';
    if (state === 'alive') return { check, verdict: 'ok', cause: `${point} answers` };
    const cure = `musicfs unmount ${shellWord(point)}`;
    if (state === 'silent')
      return { check, verdict: 'warn', cause: `${point} gives no answer within a second`, cure };
    return { check, verdict: 'fail', cause: `${point} is dead (${state})`, cure };
  });
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
