// Faults made on purpose, as the daemon's parts see them: the port that arms failpoints in every thread, what supervision
// asks before each step, and budgets and deadlines for tests. Called by the composition root; does nothing unless failpoints are on.
import * as v from 'valibot';
import { catalogWriter } from '../actors/catalog-writer.ts';
import { fetcher } from '../actors/fetcher.ts';
import { fuseHandler } from '../actors/fuse-handler.ts';
import type { CacheIntervals } from '../content/cache-limits.ts';
import type { CallLimits } from '../origins/origin-limits.ts';
import { failpointPlace } from '../platform/failpoint-places.ts';
import { type Failpoints, parseFailpoint } from '../platform/failpoints.ts';
import type { SupervisorSpec } from '../supervision/child-spec.ts';
import type { Intercept } from '../supervision/environment.ts';

/** All failpoints are armed here, and again in the thread that passes them. */
export function failpointPortOf(failpoints: Failpoints) {
  return {
    list: () => failpoints.list(),
    set(setting: string) {
      failpoints.set(setting);
      const { name } = parseFailpoint(setting);
      const thread = failpointPlace(name)?.thread;
      if (thread === 'fuse') fuseHandler.tell({ type: 'set-failpoint', setting });
      if (thread === 'fetch') fetcher.tell({ type: 'set-failpoint', setting });
      if (thread === 'catalog-writer') catalogWriter.tell({ type: 'set-failpoint', setting });
      return Promise.resolve();
    },
    clear() {
      failpoints.clear();
      fuseHandler.tell({ type: 'clear-failpoints' });
      fetcher.tell({ type: 'clear-failpoints' });
      catalogWriter.tell({ type: 'clear-failpoints' });
      return Promise.resolve();
    },
    beforeCall: (method: string) => failpoints.pass('control.handle', method),
  };
}

/** What supervision asks before each step of an actor, as failpoints. */
export function interceptBy(failpoints: Failpoints): Intercept {
  return (id, where) => {
    if (!failpoints.enabled) return null;
    if (where === 'handle') failpoints.block('main.block');
    const order =
      where === 'restart'
        ? failpoints.check('supervisor.before-restart', id)
        : failpoints.check(`actor.${id}.${where}`);
    return order?.type === 'hang' || order?.type === 'delay' ? order : null;
  };
}

/** For tests that make the same part fail again and again: after lives of so many ms its failures are forgotten. */
export function withTestBudgets(tree: SupervisorSpec, env: NodeJS.ProcessEnv): SupervisorSpec {
  const given = env['MUSICFS_TEST_RESTART_RESET_MS'];
  return given === undefined ? tree : withRestartReset(tree, Number(given));
}

const ms = v.exactOptional(v.pipe(v.number(), v.minValue(1)));
const originLimits = v.strictObject({ callMs: ms, firstByteMs: ms, stallMs: ms, probeMs: ms });

/** For tests that cannot wait for the deadlines of calls to origins: JSON of those that are to be others, ms. */
export function testOriginLimits(env: NodeJS.ProcessEnv): Partial<CallLimits> {
  const given = env['MUSICFS_TEST_ORIGIN_LIMITS'];
  if (given === undefined) return {};
  return v.parse(originLimits, JSON.parse(given));
}

const cacheIntervals = v.strictObject({ probeIntervalMs: ms, chunkInUseMs: ms });

/** The same for what the cache does once a minute. */
export function testCacheIntervals(env: NodeJS.ProcessEnv): Partial<CacheIntervals> {
  const given = env['MUSICFS_TEST_CACHE_INTERVALS'];
  return given === undefined ? {} : v.parse(cacheIntervals, JSON.parse(given));
}

function withRestartReset(tree: SupervisorSpec, resetAfterMs: number): SupervisorSpec {
  return {
    ...tree,
    children: tree.children.map((child) =>
      child.kind === 'supervisor'
        ? withRestartReset(child, resetAfterMs)
        : { ...child, budget: { ...child.budget, resetAfterMs, resetNeedsWork: false } },
    ),
  };
}
