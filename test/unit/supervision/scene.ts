// What most supervision tests need: a simulated clock, a journal of what happened in which order, probe actors that
// do as they are told, and a system around them that is stopped after the test.
import { afterEach } from 'vitest';
import { silentLogger } from '../../../src/platform/logger.ts';
import type { ActorContext, ActorLife } from '../../../src/supervision/actor-life.ts';
import { type ActorRef, actorRef, type Reply } from '../../../src/supervision/actor-ref.ts';
import type { ActorSnapshot } from '../../../src/supervision/actor-snapshot.ts';
import {
  type ActorOptions,
  type ActorSpec,
  actorSpec,
  type ChildSpec,
  type Strategy,
  type SupervisorSpec,
  supervisorSpec,
} from '../../../src/supervision/child-spec.ts';
import type { SupervisionReport } from '../../../src/supervision/supervision-report.ts';
import { type System, type SystemOptions, startSystem } from '../../../src/supervision/system.ts';
import { SimulatedClock } from './simulated-clock.ts';

export type ProbeMessage =
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'crash' }
  | { readonly type: 'get'; readonly reply: Reply<number> }
  | { readonly type: 'hold'; readonly reply: Reply<number> }
  | { readonly type: 'run'; readonly act: (context: ActorContext<ProbeMessage>) => unknown };

export interface ProbeState {
  readonly notes: readonly string[];
}

export type ProbeOptions = Partial<Omit<ActorOptions<ProbeMessage, ProbeState>, 'ref' | 'start'>> & {
  /** Runs inside `start`; may throw or wait. */
  readonly onStart?: (context: ActorContext<ProbeMessage>) => void | Promise<void>;
  readonly onStop?: () => void | Promise<void>;
};

export interface Probe {
  readonly ref: ActorRef<ProbeMessage>;
  readonly spec: ActorSpec<ProbeMessage, ProbeState>;
  /** The contexts of all lives, oldest first. */
  readonly contexts: ActorContext<ProbeMessage>[];
}

export class Scene {
  readonly clock = new SimulatedClock();
  readonly journal: string[] = [];
  readonly reports: SupervisionReport[] = [];
  readonly rootGaveUp: SupervisionReport[] = [];
  private system: System | null = null;

  /** An actor that writes into the journal: `+id#n` up, `-id#n` stopped, `id#n:text` noted. */
  probe(id: string, options: ProbeOptions = {}): Probe {
    const { onStart, onStop, ...rest } = options;
    const ref = actorRef<ProbeMessage>(id);
    const contexts: ActorContext<ProbeMessage>[] = [];
    const start = async (
      context: ActorContext<ProbeMessage>,
    ): Promise<ActorLife<ProbeState, ProbeMessage>> => {
      contexts.push(context);
      await onStart?.(context);
      this.journal.push(`+${id}#${context.incarnation}`);
      return this.life(context, onStop);
    };
    return { ref, spec: actorSpec({ ref, start, ...rest }), contexts };
  }

  async start(
    children: readonly ChildSpec[],
    strategy: Strategy = 'one_for_one',
    options: Partial<SystemOptions> = {},
  ): Promise<System> {
    return await this.startTree(supervisorSpec({ id: 'root', strategy, children }), options);
  }

  /** Starts without moving the clock; use `begin` when the start itself has to wait. */
  async startTree(spec: SupervisorSpec, options: Partial<SystemOptions> = {}): Promise<System> {
    this.system = await startSystem(spec, {
      clock: this.clock,
      log: silentLogger,
      random: () => 0,
      onRootGaveUp: (report) => this.rootGaveUp.push(report),
      onReport: (report) => this.reports.push(report),
      ...options,
    });
    return this.system;
  }

  node(id: string): ActorSnapshot {
    const find = (at: ActorSnapshot): ActorSnapshot | undefined =>
      at.id === id ? at : at.children.map(find).find((found) => found !== undefined);
    const found = this.system === null ? undefined : find(this.system.snapshot());
    if (found === undefined) throw new Error(`no node ${id}`);
    return found;
  }

  /** `event:id` of the reports so far, optionally of one event. */
  events(event?: SupervisionReport['event']): string[] {
    const some = this.reports.filter((report) => event === undefined || report.event === event);
    return some.map((report) => `${report.event}:${report.id}`);
  }

  async close(): Promise<void> {
    const stopping = this.system?.stop();
    await this.clock.advance(60_000);
    await stopping;
  }

  private life(
    context: ActorContext<ProbeMessage>,
    onStop?: () => void | Promise<void>,
  ): ActorLife<ProbeState, ProbeMessage> {
    const name = `${context.id}#${context.incarnation}`;
    return {
      initialState: () => ({ notes: [] }),
      handle: (state, message) => {
        switch (message.type) {
          case 'note':
            this.journal.push(`${name}:${message.text}`);
            return { notes: [...state.notes, message.text] };
          case 'crash':
            throw new Error('crashed on purpose');
          case 'get':
            message.reply.resolve(state.notes.length);
            return state;
          case 'hold':
            return state;
          case 'run':
            message.act(context);
            return state;
        }
      },
      stop: async () => {
        await onStop?.();
        this.journal.push(`-${name}`);
      },
    };
  }
}

/** A scene that is cleared away after the test that made it. */
export function makeScene(): Scene {
  const scene = new Scene();
  open.push(scene);
  return scene;
}

const open: Scene[] = [];

afterEach(async () => {
  for (const scene of open.splice(0)) await scene.close();
});
