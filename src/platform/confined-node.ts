// How a process of ours is started: under util-linux setpriv, so that it ends with the daemon and can gain nothing.
import { hasNoNewPrivileges } from './privileges.ts';

/** A daemon that may pass files through to the kernel has a capability, and what it starts would inherit it. */
export const noCapability = ['--inh-caps', '-all', '--ambient-caps', '-all'] as const;

/**
 * The words of a command that runs Node with those arguments. `privileges` are for setpriv. Where nothing can be gained
 * any more, setpriv may be refused: Node is then run by itself, unless it is to lose what it has (`mustDrop`).
 */
export function confinedNode(
  nodeArguments: readonly string[],
  privileges: readonly string[],
  mustDrop: boolean,
): [program: string, ...args: string[]] {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...nodeArguments] as const;
  if (hasNoNewPrivileges() && !mustDrop) return [...node];
  return ['setpriv', ...privileges, '--no-new-privs', '--pdeathsig', 'KILL', '--', ...node];
}
