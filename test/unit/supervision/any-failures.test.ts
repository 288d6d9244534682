import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ActorSnapshot } from '../../../src/supervision/actor-snapshot.ts';
import { supervisorSpec } from '../../../src/supervision/child-spec.ts';
import { type Probe, Scene } from './scene.ts';

const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** What may happen to one of the five actors; `wait` lets time pass. */
const anyEvent = fc.record({
  type: fc.constantFrom('crash', 'die', 'fail-starts', 'cure', 'slow-stop', 'wake', 'wait'),
  actor: fc.integer({ min: 0, max: 4 }),
  ms: fc.constantFrom(0, 1, 300, 1_000, 6_000, 40_000, 400_000),
});

interface Patient {
  readonly probe: Probe;
  startsFail: boolean;
  stopsSlowly: boolean;
  /** Lives between a successful start and the end of their scope. */
  alive: number;
}

function patient(scene: Scene, id: string, onGiveUp: 'escalate' | 'park'): Patient {
  const self: Patient = {
    startsFail: false,
    stopsSlowly: false,
    alive: 0,
    probe: scene.probe(id, {
      onGiveUp,
      onStart: async ({ scope, clock }) => {
        if (self.startsFail) throw new Error(`${id} cannot start`);
        self.alive += 1;
        // The first child of two lives at once would show here.
        if (self.alive > 1) scene.journal.push(`overlap of ${id}`);
        scope.defer(async () => {
          if (self.stopsSlowly) {
            await new Promise<void>((resolve) => {
              clock.after(500, resolve);
            });
          }
          self.alive -= 1;
        });
      },
    }),
  };
  return self;
}

const actorsOf = (node: ActorSnapshot): ActorSnapshot[] =>
  node.kind === 'actor' ? [node] : node.children.flatMap(actorsOf);

test(`any sequence of failures leaves each actor with at most one life, cured ones up again, and stops cleanly (seed ${seed}, FC_SEED repeats it)`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEvent, { maxLength: 25 }), fc.boolean(), async (events, isRow) => {
      const scene = new Scene();
      const [a, b, c, d, e] = [
        patient(scene, 'a', 'escalate'),
        patient(scene, 'b', 'park'),
        patient(scene, 'c', 'escalate'),
        patient(scene, 'd', 'escalate'),
        patient(scene, 'e', 'park'),
      ];
      const patients = [a, b, c, d, e];
      const strategy = isRow ? 'rest_for_one' : 'one_for_one';
      const part = (id: string, children: readonly Patient[]) =>
        supervisorSpec({ id, strategy, children: children.map(({ probe }) => probe.spec), onGiveUp: 'park' });
      const system = await scene.startTree(
        supervisorSpec({
          id: 'root',
          strategy: isRow ? 'one_for_one' : 'rest_for_one',
          children: [part('part', [a, b, c]), part('other', [d, e])],
        }),
      );
      for (const event of events) {
        const it = patients[event.actor] ?? a;
        switch (event.type) {
          case 'crash':
            it.probe.ref.tell({ type: 'crash' });
            break;
          case 'die':
            it.probe.contexts.at(-1)?.fail(new Error('died'));
            break;
          case 'fail-starts':
            it.startsFail = true;
            break;
          case 'cure':
            it.startsFail = false;
            break;
          case 'slow-stop':
            it.stopsSlowly = true;
            break;
          case 'wake':
            system.wake(it.probe.ref.id);
            break;
          case 'wait':
            await scene.clock.advance(event.ms);
            break;
        }
      }
      for (const it of patients) it.startsFail = false;
      await scene.clock.advance(800_000);
      expect(scene.journal.filter((line) => line.startsWith('overlap'))).toEqual([]);
      expect(scene.rootGaveUp).toEqual([]);
      expect(actorsOf(system.snapshot()).map(({ id, state }) => `${id} ${state}`)).toEqual(
        patients.map(({ probe }) => `${probe.ref.id} running`),
      );
      await scene.close();
      expect(patients.map(({ alive }) => alive)).toEqual([0, 0, 0, 0, 0]);
      expect(actorsOf(system.snapshot()).every(({ state }) => state === 'stopped')).toBe(true);
      expect(scene.clock.pendingTimers).toBe(0);
    }),
    { seed, numRuns: 60 },
  );
}, 60_000);
