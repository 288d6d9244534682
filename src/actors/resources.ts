// The actor that watches what the process uses of descriptors and memory, and has what can be spared given back.
//
// Owns nothing; a restart loses nothing. What it sees is on the status board. Parked when it gives up.
// Mailbox: its own ticks only.
import { giveMemoryBack, levelOf, type ResourceUse } from '../platform/own-resources.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import type { StatusBoard } from './status-board.ts';

export interface ResourcesMessage {
  readonly type: 'look';
}

export interface ResourcesOptions {
  readonly board: StatusBoard;
  readonly use: () => ResourceUse;
}

const resources = actorRef<ResourcesMessage>('resources');

const lookEveryMs = 60_000;

export function resourcesSpec(options: ResourcesOptions): ActorSpec<ResourcesMessage, ResourceUse | null> {
  return actorSpec({ ref: resources, start: (context) => startLife(context, options), onGiveUp: 'park' });
}

function startLife(
  context: ActorContext<ResourcesMessage>,
  { board, use }: ResourcesOptions,
): ActorLife<ResourceUse | null, ResourcesMessage> {
  context.self.tell({ type: 'look' });
  return {
    initialState: () => board.resources,
    handle(before) {
      context.scope.timer(lookEveryMs, { type: 'look' });
      const now = use();
      board.resources = now;
      report(before, now);
      // The fuse thread closes files of origins that nobody reads, when it finds this.
      board.fuse?.set('descriptorsScarce', levelOf(now.descriptors) === 'scarce' ? 1 : 0);
      if (levelOf(now.memory) === 'scarce') giveMemoryBack();
      return now;
    },
  };

  /** One line for each change, not one a minute. */
  function report(before: ResourceUse | null, now: ResourceUse): void {
    for (const what of ['descriptors', 'memory'] as const) {
      const level = levelOf(now[what]);
      const former = before === null ? 'fine' : levelOf(before[what]);
      if (level === former) continue;
      const fields = { event: `${what}_${level}`, ...now[what] };
      if (level === 'fine') context.log.info(fields);
      else context.log.warn(fields);
    }
  }
}
