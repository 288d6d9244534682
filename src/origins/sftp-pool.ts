// The connections of one sftp origin: at most four, made when they are needed, shared by the calls, closed when nobody used
// them for a minute.
//
// A call takes the open connection with the fewest users; when all are in use and there is room, one more is made beside
// it, for those who come later. It waits for a connection only when none is open. One that owes answers and says nothing
// is taken when there is no other, and closed when nobody is left on it.
import type { Clock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { SftpConnection } from './sftp-connection.ts';
import { untilAborted } from './until-aborted.ts';

/** A connection while a call uses it. */
export interface Lease {
  readonly connection: SftpConnection;
  /** It had been there before, and has ended without an answer to anything asked since: the call may be made on a new one. */
  hadDied(): boolean;
  release(): void;
}

interface Slot {
  connection: SftpConnection | null;
  /** Settles when it is open. */
  readonly dialling: Promise<SftpConnection>;
  readonly giveUp: AbortController;
  users: number;
  undoIdle: (() => void) | null;
}

export class SftpPool {
  private readonly dial: (signal: AbortSignal) => Promise<SftpConnection>;
  private readonly clock: Clock;
  private readonly idleMs: number;
  private readonly slots = new Set<Slot>();

  constructor(
    dial: (signal: AbortSignal) => Promise<SftpConnection>,
    clock: Clock,
    idleMs: number = limits.sftpIdleMs,
  ) {
    this.dial = dial;
    this.clock = clock;
    this.idleMs = idleMs;
  }

  /** Connections open or being made. */
  get size(): number {
    return this.slots.size;
  }

  /** Rejects as the making of a connection does. */
  async lease(signal: AbortSignal): Promise<Lease> {
    const slot = this.best();
    const wasThere = slot.connection !== null;
    slot.users += 1;
    slot.undoIdle?.();
    slot.undoIdle = null;
    try {
      const connection = slot.connection ?? (await untilAborted(slot.dialling, signal));
      return this.leased(slot, connection, wasThere);
    } catch (error) {
      slot.users -= 1;
      if (slot.users === 0 && slot.connection === null) this.drop(slot, 'nobody waits any more');
      throw error;
    }
  }

  /** The same on a connection that is made now. Those that nobody uses are closed: they may have died as well. */
  async leaseNew(signal: AbortSignal): Promise<Lease> {
    for (const slot of this.slots) if (slot.users === 0) this.drop(slot, 'another one has died');
    return this.lease(signal);
  }

  /** Ends all; calls under way fail. */
  close(): void {
    for (const slot of this.slots) this.drop(slot, 'closed');
  }

  private best(): Slot {
    const byUsers = [...this.slots].sort((a, b) => a.users - b.users);
    const open = byUsers.find(({ connection }) => connection !== null && !connection.isSilent);
    const hasRoom = this.slots.size < limits.sftpConnections;
    if (open !== undefined) {
      const isDialling = byUsers.some(({ connection }) => connection === null);
      if (open.users > 0 && hasRoom && !isDialling) this.add();
      return open;
    }
    if (hasRoom) return this.add();
    return byUsers.find(({ connection }) => connection === null) ?? byUsers[0] ?? this.add();
  }

  private add(): Slot {
    const giveUp = new AbortController();
    const dialling = this.dial(giveUp.signal);
    const slot: Slot = { connection: null, dialling, giveUp, users: 0, undoIdle: null };
    this.slots.add(slot);
    dialling.then(
      (connection) => {
        if (!this.slots.has(slot)) return connection.end('nobody waits any more');
        slot.connection = connection;
        connection.onEnd(() => this.forget(slot));
        if (slot.users === 0) this.closeWhenIdle(slot);
      },
      () => this.forget(slot), // whoever waits is told; a connection made in advance was wanted by nobody yet
    );
    return slot;
  }

  private leased(slot: Slot, connection: SftpConnection, wasThere: boolean): Lease {
    const hasAnswered = connection.mark();
    let isReleased = false;
    return {
      connection,
      hadDied: () => wasThere && connection.isOver && !hasAnswered(),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        slot.users -= 1;
        if (slot.users > 0 || connection.isOver) return;
        this.closeWhenIdle(slot);
        // A call that was given up may have left it with a peer that is not there any more.
        this.clock.after(limits.sftpSilenceMs + 1, () => {
          if (slot.users === 0 && connection.isSilent) connection.end('the server says nothing');
        });
      },
    };
  }

  private closeWhenIdle(slot: Slot): void {
    slot.undoIdle?.();
    slot.undoIdle = this.clock.after(this.idleMs, () => this.drop(slot, 'nobody uses it'));
  }

  private drop(slot: Slot, why: string): void {
    this.forget(slot);
    slot.giveUp.abort(new MusicfsError('origin_unavailable', why));
    slot.connection?.end(why);
  }

  private forget(slot: Slot): void {
    slot.undoIdle?.();
    this.slots.delete(slot);
  }
}
