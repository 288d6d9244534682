// The pipes of a child process, also of one that could not be started: where descriptors have run out Node's `spawn`
// returns a child that has none, although its types say otherwise, and tells of the failure later.
import type { ChildProcess } from 'node:child_process';

export function pipesOf(child: ChildProcess): readonly (ChildProcess['stdio'][number] | undefined)[] {
  return (child.stdio as ChildProcess['stdio'] | undefined) ?? [];
}
