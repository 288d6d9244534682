// What `musicfs doctor` makes of the facts about mounting: who may, who sees it, how fast its reads can be. Pure.
import { isKernelCurrent, type MachineFacts, type Verdict } from './machine-facts.ts';

export function examineMounting(facts: MachineFacts): Verdict[] {
  return [
    examineMountRight(facts),
    ...examineAllowOther(facts),
    ...examinePropagation(facts),
    ...examineRequestSize(facts),
    ...examinePassthrough(facts),
  ];
}

function examineMountRight({ uid, hasSysAdmin, fusermount, hasNoNewPrivileges }: MachineFacts): Verdict {
  const check = 'right to mount';
  if (uid === 0 && !hasSysAdmin) {
    const cause = 'running as root without CAP_SYS_ADMIN, which mounting needs';
    return { check, verdict: 'fail', cause, cure: 'start the container with --cap-add SYS_ADMIN' };
  }
  if (uid === 0) return { check, verdict: 'ok', cause: 'running as root' };
  if (fusermount === null) {
    const cause = `uid ${uid} cannot mount without fusermount3`;
    return { check, verdict: 'fail', cause, cure: 'apt-get install fuse3' };
  }
  if (!fusermount.isSetuid) {
    const cause = `${fusermount.file} is not setuid root: uid ${uid} cannot mount through it`;
    return { check, verdict: 'fail', cause, cure: 'apt-get install --reinstall fuse3' };
  }
  if (hasNoNewPrivileges) {
    const cause = 'no_new_privs is set: a setuid program such as fusermount3 has no effect';
    return { check, verdict: 'fail', cause, cure: 'NoNewPrivileges=no in the unit that starts it' };
  }
  return { check, verdict: 'ok', cause: `uid ${uid} mounts through ${fusermount.file}` };
}

function examineAllowOther({ uid, mayUsersAllowOthers }: MachineFacts): Verdict[] {
  const check = 'allow_other';
  if (uid === 0) return [];
  switch (mayUsersAllowOthers) {
    case true:
      return [{ check, verdict: 'ok', cause: '/etc/fuse.conf lets users let others in' }];
    case null:
      return [
        {
          check,
          verdict: 'warn',
          cause: `uid ${uid} may not read /etc/fuse.conf, nor may fusermount3 for it: a mount is for its owner only`,
          cure: 'sudo chmod 644 /etc/fuse.conf',
        },
      ];
    case false:
      return [
        {
          check,
          verdict: 'warn',
          cause: '/etc/fuse.conf does not let users let others in: a mount is for its owner only',
          cure: 'echo user_allow_other | sudo tee -a /etc/fuse.conf',
        },
      ];
  }
}

/** A container that shares no mount with the outside keeps what it mounts to itself. */
function examinePropagation({ isContainer, sharedMountPoints }: MachineFacts): Verdict[] {
  const check = 'propagation';
  if (!isContainer) return [];
  if (sharedMountPoints.length > 0) {
    const cause = `a mount below ${sharedMountPoints.join(', ')} can be seen outside of this container`;
    return [{ check, verdict: 'ok', cause }];
  }
  return [
    {
      check,
      verdict: 'warn',
      cause: 'this container shares no mount: what is mounted here is seen in here only',
      cure: 'start it with --mount type=bind,source=DIR,target=DIR,bind-propagation=rshared and mount below DIR',
    },
  ];
}

/** Pages of 4 KiB in the largest request: 1 MiB. */
const pagesOfLargestRequest = 256;

function examineRequestSize({ maxPagesLimit }: MachineFacts): Verdict[] {
  if (maxPagesLimit === null || maxPagesLimit >= pagesOfLargestRequest) return [];
  return [
    {
      check: 'request size',
      verdict: 'warn',
      cause: `fs.fuse.max_pages_limit is ${maxPagesLimit}: requests carry ${maxPagesLimit * 4} KiB instead of 1 MiB, reads are slower`,
      cure: `sysctl -w fs.fuse.max_pages_limit=${pagesOfLargestRequest}`,
    },
  ];
}

/** Without it reads are copied through the daemon: slower, never wrong. An old kernel is named by its own check. */
function examinePassthrough(facts: MachineFacts): Verdict[] {
  const check = 'passthrough';
  if (!isKernelCurrent(facts.kernelRelease)) return [];
  if (facts.uid === 0 && !facts.hasSysAdmin) return []; // such a root cannot even mount
  const missing = (cause: string, cure: string): Verdict[] => [{ check, verdict: 'warn', cause, cure }];
  if (facts.isPassthroughBuilt === false) {
    return missing(
      'this kernel was built without passthrough reads',
      'a kernel with CONFIG_FUSE_PASSTHROUGH=y',
    );
  }
  if (!facts.hasSysAdmin) {
    return missing(
      `passthrough reads need CAP_SYS_ADMIN, which uid ${facts.uid} has not: reads go through the daemon`,
      'mount as root, if the speed is needed',
    );
  }
  if (!facts.isInitialUserNamespace) {
    return missing(
      'passthrough reads need the initial user namespace: here reads go through the daemon',
      'a container without user namespace, if the speed is needed',
    );
  }
  return [{ check, verdict: 'ok', cause: 'the kernel may read local files by itself' }];
}
