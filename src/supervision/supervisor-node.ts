// A supervisor in the tree: starts its children in order, stops them in reverse, and fails when one of them has given
// up. To the supervisor above it is a child like any other.
import { MusicfsError } from '../platform/errors.ts';
import { actorNode } from './actor-node.ts';
import type { LifeSnapshot } from './actor-snapshot.ts';
import { ChildSlot } from './child-slot.ts';
import type { ChildSpec, SupervisorSpec } from './child-spec.ts';
import type { Environment } from './environment.ts';
import type { Failure } from './failure.ts';
import { RestartLane } from './restart-lane.ts';
import { type Gate, type LifeEnd, nothingEnded, type SupervisedNode } from './supervised-node.ts';

export class SupervisorNode implements SupervisedNode {
  readonly kind = 'supervisor';
  onFailure: (failure: Failure) => void = () => {};
  private readonly spec: SupervisorSpec;
  private readonly env: Environment;
  private readonly lanes: readonly RestartLane[];
  private lives = 0;
  private phase: 'down' | 'starting' | 'up' | 'failed' | 'ended' = 'down';
  private failed: Failure | null = null;
  private beganAtMs = 0;
  private startedAtWallMs = 0;
  private ending: Promise<LifeEnd> | null = null;

  constructor(spec: SupervisorSpec, env: Environment) {
    this.spec = spec;
    this.env = env;
    const slots = spec.children.map((child) => new ChildSlot(child, nodeOf(child, env), spec.strategy, env));
    const rows = spec.strategy === 'rest_for_one' ? [slots] : slots.map((slot) => [slot]);
    const owner = { env, strategy: spec.strategy, onGaveUp: (failure: Failure) => this.escalate(failure) };
    this.lanes = rows.map((row) => new RestartLane(row, owner));
  }

  get id(): string {
    return this.spec.id;
  }

  get incarnation(): number {
    return this.lives;
  }

  async start(): Promise<Failure | null> {
    this.lives += 1;
    this.phase = 'starting';
    this.failed = null;
    this.ending = null;
    this.beganAtMs = this.env.clock.monotonicMs();
    this.startedAtWallMs = this.env.clock.wallMs();
    for (const lane of this.lanes) {
      await lane.start();
      const failure = this.whyNotUp();
      if (failure !== null) return failure;
    }
    this.phase = 'up';
    return null;
  }

  stop(gate: Gate): Promise<LifeEnd> {
    this.setGate(gate);
    this.ending ??= this.lives === 0 ? Promise.resolve(nothingEnded) : this.stopLanes(gate);
    return this.ending;
  }

  setGate(gate: Gate): void {
    for (const lane of this.lanes) lane.setGate(gate);
  }

  currentLife(): { readonly lengthMs: number; readonly didWork: boolean } {
    return { lengthMs: this.env.clock.monotonicMs() - this.beganAtMs, didWork: false };
  }

  wake(id: string): boolean {
    return this.lanes.some((lane) => lane.wake(id));
  }

  snapshot(path: string): LifeSnapshot {
    return {
      id: this.id,
      kind: 'supervisor',
      strategy: this.spec.strategy,
      incarnation: this.lives,
      startedAtMs: this.phase === 'up' ? this.startedAtWallMs : null,
      budget: { max: this.spec.budget.max, resetAfterMs: this.spec.budget.withinMs },
      mailbox: { depth: 0, limit: 0, highWater: 0, oldestMs: 0, dropped: 0 },
      busyMs: 0,
      handledTotal: 0,
      slowTotal: 0,
      heartbeatAgeMs: null,
      pid: null,
      threadId: null,
      critical: false,
      children: this.lanes.flatMap((lane) => lane.snapshots(path)),
    };
  }

  private escalate(failure: Failure): void {
    const wasUp = this.phase === 'up';
    this.failed ??= failure;
    if (this.phase !== 'ended') this.phase = 'failed';
    if (wasUp) this.onFailure(failure);
  }

  private whyNotUp(): Failure | null {
    if (this.failed !== null) return this.failed;
    if (this.phase === 'starting' && !this.env.isRefused()) return null;
    return {
      reason: 'stopped',
      error: new MusicfsError('cancelled', `${this.id} was stopped while it started`),
    };
  }

  private async stopLanes(gate: Gate): Promise<LifeEnd> {
    const { lengthMs } = this.currentLife();
    this.phase = 'ended';
    const abandoned: string[] = [];
    for (const lane of this.lanes.toReversed()) abandoned.push(...(await lane.stop(gate)));
    return { ...nothingEnded, lifeMs: lengthMs, abandoned };
  }
}

function nodeOf(spec: ChildSpec, env: Environment): SupervisedNode {
  switch (spec.kind) {
    case 'actor':
      return actorNode(spec, env);
    case 'supervisor':
      return new SupervisorNode(spec, env);
  }
}
