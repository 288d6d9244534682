// The actor that serves the control API on its Unix socket.
//
// Owns: the gRPC server. Loses on restart: calls under way; clients call again. Parked when it gives up: the mount goes
// on without it. gRPC is loaded only here and only now, as the mount need not wait for it.
// Mailbox: it takes no messages.
import type { ControlPort } from '../control/daemon-port.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';

export interface ControlOptions {
  readonly port: ControlPort;
  readonly socketPath: string;
}

/** How late those who watch the health of the mount may hear of a change. */
const stateEveryMs = 2_000;

export const control = actorRef<never>('control');

export function controlSpec({ port, socketPath }: ControlOptions): ActorSpec<never, null> {
  return actorSpec({
    ref: control,
    async start(context) {
      const { startControlServer } = await import('../control/server.ts');
      const server = await startControlServer({ port, socketPath, log: context.log, clock: context.clock });
      context.scope.defer(() => server.close());
      let shown = port.status().state;
      const watchState = () => {
        const { state } = port.status();
        if (state !== shown) server.mountStateChanged();
        shown = state;
        context.scope.timer(stateEveryMs, watchState);
      };
      context.scope.timer(stateEveryMs, watchState);
      return { initialState: () => null, handle: (state) => state };
    },
    onGiveUp: 'park',
    shutdownMs: 2_000,
  });
}
