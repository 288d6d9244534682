// What `musicfs doctor` makes of the facts of a machine. Pure: doctor-facts.ts gathers, this judges.

import { examineMounting } from './doctor-mounting.ts';
import { isKernelCurrent, type MachineFacts, type Verdict } from './machine-facts.ts';

export function examine(facts: MachineFacts): Verdict[] {
  return [
    examineNode(facts),
    examineFuseDevice(facts),
    examineKernel(facts),
    ...examineMounting(facts),
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
      return {
        check,
        verdict: 'fail',
        cause: '/dev/fuse may not be opened',
        cure: 'chmod 0666 /dev/fuse (in a container: --device /dev/fuse)',
      };
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
  if (isKernelCurrent(kernelRelease)) {
    return { check, verdict: 'ok', cause: `Linux ${kernelRelease}: resend after a crash, passthrough reads` };
  }
  return {
    check,
    verdict: 'warn',
    cause: `Linux ${kernelRelease}: no resend (readers see an error when the daemon crashes), no passthrough reads`,
    cure: 'a kernel of 6.9 or later gives both',
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
    if (state === 'EACCES') return { check, verdict: 'ok', cause: `${point} belongs to another user` };
    const cure = `musicfs unmount ${shellWord(point)}`;
    if (state === 'silent')
      return { check, verdict: 'warn', cause: `${point} gives no answer within a second`, cure };
    return { check, verdict: 'fail', cause: `${point} is dead (${state})`, cure };
  });
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
