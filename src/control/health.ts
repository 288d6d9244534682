// The standard health service: "" says that control answers, "mount" that names and cached bytes are served. A check
// asks the daemon at that moment; watchers hear of a change when refresh is called.
import type { Server, UntypedHandleCall } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { MountState } from './daemon-port.ts';

export interface HealthService {
  /** Compares with the daemon and tells the watchers. */
  refresh(): void;
  /** Everything is about to end. */
  stop(): void;
}

const servingStates: ReadonlySet<MountState> = new Set(['ready', 'syncing', 'degraded', 'offline']);

export function addHealthService(server: Server, mountState: () => MountState): HealthService {
  const health = new HealthImplementation({ '': 'SERVING', mount: 'NOT_SERVING' });
  let mountStatus = 'NOT_SERVING';
  const refresh = () => {
    const status = servingStates.has(mountState()) ? 'SERVING' : 'NOT_SERVING';
    if (status !== mountStatus) health.setStatus('mount', status);
    mountStatus = status;
  };
  health.addToServer({
    addService: (definition, implementation) =>
      server.addService(
        definition,
        Object.fromEntries(
          Object.entries(implementation).map(([name, handle]) => [name, preceded(refresh, handle)]),
        ),
      ),
  });
  return {
    refresh,
    stop() {
      health.setStatus('', 'NOT_SERVING');
      health.setStatus('mount', 'NOT_SERVING');
    },
  };
}

function preceded(first: () => void, handle: UntypedHandleCall): UntypedHandleCall {
  return (...call: unknown[]) => {
    first();
    (handle as (...call: unknown[]) => void)(...call);
  };
}
