// Failpoints of the whole daemon behind one interface, for control.
import { fuseHandler } from '../actors/fuse-handler.ts';
import type { FailpointPort } from '../control/daemon-port.ts';
import type { Failpoints } from '../platform/failpoints.ts';

/** Failpoints of the fuse thread are armed there, all others here. */
export function failpointPortOf(failpoints: Failpoints): FailpointPort {
  return {
    list: () => failpoints.list(),
    set(setting) {
      failpoints.set(setting);
      if (setting.startsWith('fuse.')) fuseHandler.tell({ type: 'set-failpoint', setting });
      return Promise.resolve();
    },
    clear() {
      failpoints.clear();
      fuseHandler.tell({ type: 'clear-failpoints' });
      return Promise.resolve();
    },
  };
}
