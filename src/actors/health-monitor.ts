// The actor that knows how every origin is, and with that how the mount is.
//
// Evidence is what every call shows; where nobody calls, a probe every 30 s, all origins at once, 5 s each at most. What
// the fetch thread says of an origin that it calls is its own verdict, of the same rules.
//
// Owns: the states, which are on the status board. Loses on restart: nothing but the counts of failures. Escalates.
// Mailbox: 1,024 messages, past that the oldest evidence goes.
import type { OriginNews } from '../fetch/fetch-protocol.ts';
import {
  afterAnswer,
  afterError,
  type HealthState,
  type OriginHealthFacts,
  unknownHealth,
} from '../origins/origin-health.ts';
import { codeOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { OriginSettings } from '../platform/origin-settings.ts';
import type { ActorContext, ActorLife } from '../supervision/actor-life.ts';
import { type ActorRef, actorRef } from '../supervision/actor-ref.ts';
import { type ActorSpec, actorSpec } from '../supervision/child-spec.ts';
import type { OriginMounts } from './origin-caller.ts';
import type { OriginLaneMessage } from './origin-lane.ts';
import type { StatusBoard } from './status-board.ts';

export type HealthMonitorMessage =
  /** What a lane's call showed; null: an answer. */
  | { readonly type: 'evidence'; readonly originId: string; readonly error: unknown }
  /** The verdict of the fetch thread, of an origin that it calls. */
  | { readonly type: 'news'; readonly news: OriginNews }
  | { readonly type: 'probe-all' }
  | { readonly type: 'probe-soon'; readonly originId: string }
  | { readonly type: 'summarise' };

export interface WatchedOrigin {
  readonly settings: OriginSettings;
  readonly lane: ActorRef<OriginLaneMessage>;
  /** The fetch thread judges it. */
  readonly isFetched: boolean;
}

export interface HealthMonitorOptions {
  readonly origins: readonly WatchedOrigin[];
  readonly board: StatusBoard;
  /** Those that were down when the last life of the process ended. */
  readonly wereDown: readonly string[];
  /** 0 … 1. */
  readonly random: () => number;
  /** It answers again: what changed meanwhile is to be caught up with. */
  readonly onRecovered: (originId: string) => void;
  /** Called after each change, with the ids of those that are down: the next life of the process is to know. */
  readonly onDown: (originIds: readonly string[]) => void;
}

export const healthMonitor = actorRef<HealthMonitorMessage>('health-monitor');

type State = ReadonlyMap<string, OriginHealthFacts>;

const jitterShare = 0.1;
const summaryEveryMs = 60_000;
const localThreshold = 1;

export function healthMonitorSpec(options: HealthMonitorOptions): ActorSpec<HealthMonitorMessage, State> {
  return actorSpec({
    ref: healthMonitor,
    start: (context) => startLife(context, options),
    mailbox: { overflow: 'drop-oldest' },
    critical: true,
  });
}

function startLife(
  context: ActorContext<HealthMonitorMessage>,
  { origins, board, wereDown, random, onRecovered, onDown }: HealthMonitorOptions,
): ActorLife<State, HealthMonitorMessage> {
  const probing = new Set<string>();
  const now = context.clock.monotonicMs();
  for (const { settings } of origins) {
    if (board.origins.has(settings.id)) continue;
    const { id, kind, root } = settings;
    const state = wereDown.includes(id) ? 'unhealthy' : 'unknown';
    board.origins.set(id, { id, kind, root, state, consecutiveFailures: 0, lastError: null, sinceMs: now });
  }
  let before = totals(board);
  context.self.tell({ type: 'probe-all' });
  context.scope.timer(summaryEveryMs, { type: 'summarise' });

  return {
    initialState: () =>
      new Map(
        [...board.origins.values()].map(({ id, state, consecutiveFailures }) => [
          id,
          { ...unknownHealth, state, consecutiveFailures },
        ]),
      ),
    handle(state, message) {
      switch (message.type) {
        case 'evidence':
          return judged(state, message.originId, message.error);
        case 'news':
          return changed(state, message.news.originId, { ...message.news, isSlow: false });
        case 'probe-all':
          for (const origin of origins) probe(origin);
          context.scope.timer(nextProbeMs(), { type: 'probe-all' });
          return state;
        case 'probe-soon':
          for (const origin of origins) if (origin.settings.id === message.originId) probe(origin);
          return state;
        case 'summarise':
          summarise();
          context.scope.timer(summaryEveryMs, { type: 'summarise' });
          return state;
      }
    },
  };

  function nextProbeMs(): number {
    const everyMs = isOffline(board) ? limits.offlineProbeEveryMs : limits.probeEveryMs;
    return everyMs * (1 + jitterShare * (2 * random() - 1));
  }

  /** Never two at once of one origin: one that does not come back has failed, and its late answer counts when it comes. */
  function probe({ settings: { id }, lane, isFetched }: WatchedOrigin): void {
    const failed = (error: unknown) => context.self.tell({ type: 'evidence', originId: id, error });
    if (probing.has(id)) {
      if (!isFetched)
        failed(new MusicfsError('deadline_exceeded', 'the last look at it has not come back yet'));
      return;
    }
    probing.add(id);
    const asked = lane.ask<OriginMounts>((reply) => ({ type: 'probe', reply }), { timeoutMs: stuckMs });
    const cancel = context.clock.after(limits.probeMs, () => {
      if (!isFetched) failed(new MusicfsError('deadline_exceeded', `no answer within ${limits.probeMs} ms`));
    });
    void asked
      .catch(() => undefined) // the lane has said how it ended
      .finally(() => {
        cancel();
        probing.delete(id);
      });
  }

  function judged(state: State, originId: string, error: unknown): State {
    const origin = origins.find(({ settings }) => settings.id === originId);
    const facts = state.get(originId);
    if (origin === undefined || facts === undefined || origin.isFetched) return state; // its gate judges
    if (error === null) return changed(state, originId, afterAnswer(facts, false));
    return changed(state, originId, afterError(facts, codeOf(error), messageOf(error), localThreshold));
  }

  function changed(state: State, originId: string, facts: OriginHealthFacts): State {
    const known = board.origins.get(originId);
    if (known === undefined || state.get(originId) === facts) return state;
    const wasOffline = isOffline(board);
    const from = known.state;
    const isOther = from !== facts.state;
    board.origins.set(originId, {
      ...known,
      state: facts.state,
      consecutiveFailures: facts.consecutiveFailures,
      lastError: facts.lastError?.message ?? null,
      sinceMs: isOther ? context.clock.monotonicMs() : known.sinceMs,
    });
    if (isOther) report(originId, from, facts, wasOffline);
    return new Map(state).set(originId, facts);
  }

  function report(originId: string, from: HealthState, facts: OriginHealthFacts, wasOffline: boolean): void {
    const line = { event: 'origin_health_changed', origin: originId, from, to: facts.state };
    if (facts.lastError === null) context.log.info(line);
    else context.log.warn({ ...line, code: facts.lastError.code, error: facts.lastError.message });
    if (from === 'unhealthy' && facts.state === 'healthy') onRecovered(originId);
    onDown([...board.origins.values()].filter(({ state }) => state === 'unhealthy').map(({ id }) => id));
    if (isOffline(board) === wasOffline) return;
    context.log.warn(
      wasOffline
        ? { event: 'mount_state_changed', from: 'offline', cause: `${originId} answers` }
        : { event: 'mount_state_changed', to: 'offline', cause: 'no origin answers: what is held is served' },
    );
    if (!wasOffline) context.log.warn({ event: 'all_origins_unhealthy', candidates: origins.length });
  }

  /** While nothing answers: one line a minute, not one for each read. */
  function summarise(): void {
    const after = totals(board);
    const [served, refused] = [after.served - before.served, after.refused - before.refused];
    before = after;
    if (isOffline(board)) context.log.warn({ event: 'offline', served, refused });
  }
}

/** Past any deadline of a call: nobody waits for that answer any more. */
const stuckMs = 600_000;

/** No origin is usable. */
export function isOffline(board: StatusBoard): boolean {
  const all = [...board.origins.values()];
  return all.length > 0 && all.every(({ state }) => state === 'unhealthy');
}

function totals({ fetch, fuse }: StatusBoard): { served: number; refused: number } {
  return {
    served: (fetch?.served ?? 0) + (fuse?.get('cachedReads') ?? 0),
    refused: fetch?.refused ?? 0,
  };
}
