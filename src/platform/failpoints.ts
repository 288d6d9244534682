// Failpoints: named places where a test can make the product fail, wait or die on purpose.
//
// Syntax: name=action[;p=0.0-1.0][;seed=N][;only=TEXT][;after=N][;count=N]
//   actions: off · crash (throw) · hang (never answer) · delay(ms) · error(code) · abort (SIGKILL of the process) ·
//            corrupt(bytes) · deny (do without what the place is named after)
//   only: fires only when the place names that subject · after: lets so many passes by · p: the chance of each further
//   one, from a generator of its own that begins with `seed` (1) · count: fires so often
// Off by default: `--enable-failpoints` at start turns the registry on, nothing else can. A disabled registry costs
// one property read at each place.
import { setTimeout as pause } from 'node:timers/promises';
import { type ErrorCode, errorCodes, MusicfsError } from './errors.ts';
import { type FailpointThread, failpointNames, failpointPlace } from './failpoint-places.ts';

export type FailpointAction =
  | { readonly type: 'crash' }
  | { readonly type: 'hang' }
  | { readonly type: 'abort' }
  | { readonly type: 'deny' }
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'corrupt'; readonly bytes: number }
  | { readonly type: 'error'; readonly code: ErrorCode };

/** What only the place itself can do. */
type LeftToPlace = Extract<FailpointAction, { type: 'hang' | 'delay' | 'corrupt' | 'deny' }>;

/** A throw on purpose: whoever catches everything lets it through, as it stands for a bug. */
export class InjectedCrash extends Error {}

interface FailpointSetting {
  readonly name: string;
  readonly action: FailpointAction | null;
  readonly after: number;
  readonly count: number;
  readonly chance: number;
  readonly seed: number;
  readonly only: string | null;
}

interface Armed {
  readonly setting: string;
  readonly thread: FailpointThread;
  readonly action: FailpointAction;
  readonly only: string | null;
  /** Whether a pass that could fire does. */
  readonly draw: () => boolean;
  after: number;
  count: number;
}

/** Throws `invalid_argument` with what is wrong. */
export function parseFailpoint(text: string): FailpointSetting {
  const bad = (why: string): never => {
    throw new MusicfsError('invalid_argument', `failpoint "${text}": ${why}`);
  };
  const [head = '', ...options] = text.split(';');
  const at = head.indexOf('=');
  if (at < 1) return bad('expected name=action');
  const name = head.slice(0, at);
  const place = failpointPlace(name);
  if (place === undefined) return bad(`unknown name; known: ${failpointNames.join(', ')}`);
  const given = { after: 0, count: Number.POSITIVE_INFINITY, p: 1, seed: 1 };
  let only: string | null = null;
  for (const option of options) {
    const [, key, value = ''] = /^(after|count|seed|p|only)=(.+)$/.exec(option) ?? [];
    if (key === 'only') only = value;
    else if (key === 'p' && /^(0(\.\d+)?|1(\.0+)?)$/.test(value)) given.p = Number(value);
    else if ((key === 'after' || key === 'count' || key === 'seed') && /^\d+$/.test(value)) {
      given[key] = Number(value);
    } else return bad(`unknown option "${option}"`);
  }
  if (given.count === 0) return bad('count wants 1 or more; to disarm: name=off');
  if (only !== null && place.subject === null) return bad('only is not possible there: no subject is named');
  const action = parseAction(head.slice(at + 1), bad);
  if (action !== null && !place.actions.includes(action.type))
    return bad(`${action.type} is not possible there`);
  return { name, action, after: given.after, count: given.count, chance: given.p, seed: given.seed, only };
}

function parseAction(word: string, bad: (why: string) => never): FailpointAction | null {
  const match = /^([a-z]+)(?:\(([^)]*)\))?$/.exec(word);
  const argument = match?.[2] ?? '';
  switch (match?.[1]) {
    case 'off':
      return null;
    case 'crash':
    case 'hang':
    case 'abort':
    case 'deny':
      return { type: match[1] };
    case 'delay':
      return /^\d+$/.test(argument)
        ? { type: 'delay', ms: Number(argument) }
        : bad('delay wants (milliseconds)');
    case 'corrupt':
      return /^[1-9]\d*$/.test(argument)
        ? { type: 'corrupt', bytes: Number(argument) }
        : bad('corrupt wants (bytes)');
    case 'error':
      return Object.hasOwn(errorCodes, argument)
        ? { type: 'error', code: argument as ErrorCode }
        : bad(`error wants one of ${Object.keys(errorCodes).join(', ')}`);
    default:
      return bad(
        'unknown action; known: off, crash, hang, abort, deny, delay(ms), error(code), corrupt(bytes)',
      );
  }
}

/** Numbers from 0 up to, not including, 1: the same for the same seed (mulberry32). */
function generatorFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is armed in this thread. One instance a thread; the main side forwards changes to the others. */
export class Failpoints {
  enabled: boolean;
  private readonly armed = new Map<string, Armed>();
  private readonly hits = new Map<string, number>();

  /** `settings` are armed from the beginning, for what a thread passes before it can be told anything. */
  constructor(enabled: boolean, settings: readonly string[] = []) {
    this.enabled = enabled;
    for (const setting of settings) this.set(setting);
  }

  /** Arms or (action off) disarms one failpoint. Throws `unsupported_operation` when the registry is off. */
  set(text: string): void {
    if (!this.enabled) {
      throw new MusicfsError('unsupported_operation', 'failpoints are off: start with --enable-failpoints');
    }
    const { name, action, after, count, chance, seed, only } = parseFailpoint(text);
    if (action === null) {
      this.armed.delete(name);
      return;
    }
    const random = generatorFrom(seed);
    const draw = () => chance === 1 || random() < chance;
    const thread = failpointPlace(name)?.thread ?? 'main';
    this.armed.set(name, { setting: text, thread, action, only, draw, after, count });
  }

  clear(): void {
    this.armed.clear();
  }

  /**
   * The settings without a count that belong to a thread, as they were given: for its next life. One with a count goes
   * to the living one only, as nobody here sees it used up.
   */
  settings(thread: FailpointThread): string[] {
    return [...this.armed.values()]
      .filter((armed) => armed.thread === thread && armed.count === Number.POSITIVE_INFINITY)
      .map(({ setting }) => setting);
  }

  /** Whether something is armed there that may yet fire. */
  isArmed(name: string): boolean {
    return this.enabled && this.armed.has(name);
  }

  /** How often a failpoint has fired, so that a test can assert that its fault happened. */
  hitsOf(name: string): number {
    return this.hits.get(name) ?? 0;
  }

  list(): { name: string; action: string; hits: number }[] {
    return [...this.armed].map(([name, { action }]) => ({
      name,
      action: action.type,
      hits: this.hitsOf(name),
    }));
  }

  /**
   * The action due at this place now, or null. crash, error and abort are carried out here (throw, SIGKILL); the others
   * are the caller's, as only it knows how to wait without blocking its thread. `subject` is what the place is about.
   */
  check(name: string, subject?: string): LeftToPlace | null {
    if (!this.enabled) return null;
    const armed = this.armed.get(name);
    if (armed === undefined || (armed.only !== null && armed.only !== subject)) return null;
    if (armed.after > 0) {
      armed.after -= 1;
      return null;
    }
    if (!armed.draw()) return null;
    armed.count -= 1;
    if (armed.count <= 0) this.armed.delete(name);
    this.hits.set(name, this.hitsOf(name) + 1);
    const { action } = armed;
    switch (action.type) {
      case 'crash':
        throw new InjectedCrash(`failpoint ${name}: crash`);
      case 'error':
        throw new MusicfsError(action.code, `failpoint ${name}: error(${action.code})`);
      case 'abort':
        process.kill(process.pid, 'SIGKILL');
        return null;
      case 'hang':
      case 'delay':
      case 'corrupt':
      case 'deny':
        return action;
    }
  }

  /**
   * For places that may wait: carries out hang and delay too. A hang ends when `signal` aborts, by rejecting. Answers how
   * many bytes of what the place delivers are to be damaged.
   */
  async pass(name: string, subject?: string, signal?: AbortSignal): Promise<number> {
    const due = this.check(name, subject);
    if (due === null || due.type === 'deny') return 0;
    if (due.type === 'corrupt') return due.bytes;
    const ms = due.type === 'delay' ? due.ms : foreverMs;
    do await pause(ms, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) });
    while (due.type === 'hang');
    return 0;
  }

  /** For places that must not be left: a delay blocks the thread. Answers true when the place is to hang. */
  block(name: string): boolean {
    const due = this.check(name);
    if (due?.type === 'delay') blockThread(due.ms);
    return due?.type === 'hang';
  }
}

/** Turns so many bytes of a buffer, from its start, into other ones. */
export function damage(bytes: Uint8Array, count: number): void {
  for (let at = 0; at < Math.min(count, bytes.length); at += 1) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
}

/** The thread does nothing else for so long. */
export function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** As long as a timer can be. */
const foreverMs = 2 ** 31 - 1;
