// Failpoints: named places where a test can make the product fail, wait or die on purpose.
//
// Syntax: name=action[;count=N][;after=N][;only=SUBJECT]; SUBJECT is what the place says it is about (a node id)
//   actions: off · crash (throw) · hang (never answer) · delay(ms) · error(code) · abort (SIGKILL of the process)
// Off by default: `--enable-failpoints` at start turns the registry on, nothing else can. A disabled registry costs
// one property read at each place.
import { type ErrorCode, errorCodes, MusicfsError } from './errors.ts';

/** The places that can wait. Elsewhere hang and delay are refused: a setting that does nothing would prove nothing. */
const waitingPlaces: readonly { readonly name: RegExp; readonly actions: readonly string[] }[] = [
  { name: /^actor\..*\.(start|handle)$/, actions: ['hang', 'delay'] },
  { name: /^parser\.file$/, actions: ['hang', 'delay'] },
  { name: /^fuse\.(thread\.loop|read\.before-reply)$/, actions: ['hang'] },
  { name: /^watchdog\.(probe|ping)$/, actions: ['hang'] },
];

/** Every failpoint there is. `<id>` stands for an actor's id in the supervision tree. */
export const failpointNames = [
  'actor.<id>.start',
  'actor.<id>.handle',
  'fuse.thread.loop',
  'fuse.adopt.before-resend',
  'fuse.request.decoded',
  'fuse.open.passthrough',
  'fuse.read.before-reply',
  'scan.batch.after',
  'parser.file',
  'watchdog.probe',
  'watchdog.ping',
] as const;

export type FailpointAction =
  | { readonly type: 'crash' }
  | { readonly type: 'hang' }
  | { readonly type: 'abort' }
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'error'; readonly code: ErrorCode };

interface Armed {
  readonly setting: string;
  readonly action: FailpointAction;
  readonly only: string | null;
  after: number;
  count: number;
}

/** Parses `name=action[;count=N][;after=N][;only=SUBJECT]`. Throws `invalid_argument` with what is wrong. */
export function parseFailpoint(text: string): {
  name: string;
  action: FailpointAction | null;
  after: number;
  count: number;
  only: string | null;
} {
  const bad = (why: string): never => {
    throw new MusicfsError('invalid_argument', `failpoint "${text}": ${why}`);
  };
  const [head = '', ...options] = text.split(';');
  const at = head.indexOf('=');
  if (at < 1) return bad('expected name=action');
  const name = head.slice(0, at);
  if (!isKnownFailpoint(name)) return bad(`unknown name; known: ${failpointNames.join(', ')}`);
  let after = 0;
  let count = Number.POSITIVE_INFINITY;
  let only: string | null = null;
  for (const option of options) {
    if (option.startsWith('only=')) {
      only = option.slice('only='.length);
      continue;
    }
    const match = /^(after|count)=(\d+)$/.exec(option);
    if (match === null) return bad(`unknown option "${option}"`);
    if (match[1] === 'after') after = Number(match[2]);
    else count = Number(match[2]);
  }
  if (count === 0) return bad('count wants 1 or more; to disarm: name=off');
  const action = parseAction(head.slice(at + 1), bad);
  const isWait = action?.type === 'hang' || action?.type === 'delay';
  if (
    isWait &&
    !waitingPlaces.some((place) => place.name.test(name) && place.actions.includes(action.type))
  ) {
    return bad(`${action.type} is not possible there`);
  }
  return { name, action, after, count, only };
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
      return { type: match[1] };
    case 'delay':
      return /^\d+$/.test(argument)
        ? { type: 'delay', ms: Number(argument) }
        : bad('delay wants (milliseconds)');
    case 'error':
      return Object.hasOwn(errorCodes, argument)
        ? { type: 'error', code: argument as ErrorCode }
        : bad(`error wants one of ${Object.keys(errorCodes).join(', ')}`);
    default:
      return bad('unknown action; known: off, crash, hang, abort, delay(ms), error(code)');
  }
}

function isKnownFailpoint(name: string): boolean {
  return failpointNames.some((known) =>
    known.includes('<id>')
      ? new RegExp(`^${known.replaceAll('.', '\\.').replace('<id>', '[a-z0-9./-]+')}$`).test(name)
      : known === name,
  );
}

/** What is armed in this thread. One instance a thread; the main side forwards changes to the others. */
export class Failpoints {
  enabled: boolean;
  private readonly armed = new Map<string, Armed>();
  private readonly hits = new Map<string, number>();

  constructor(enabled: boolean) {
    this.enabled = enabled;
  }

  /** Arms or (action off) disarms one failpoint. Throws `unsupported_operation` when the registry is off. */
  set(text: string): void {
    if (!this.enabled) {
      throw new MusicfsError('unsupported_operation', 'failpoints are off: start with --enable-failpoints');
    }
    const { name, action, ...when } = parseFailpoint(text);
    if (action === null) this.armed.delete(name);
    else this.armed.set(name, { setting: text, action, ...when });
  }

  clear(): void {
    this.armed.clear();
  }

  /**
   * The settings without a count whose names begin so, as they were given: for the next life of a thread or process
   * that checks them itself. One with a count goes to the living one only, as nobody here sees it used up.
   */
  settings(prefix: string): string[] {
    return [...this.armed]
      .filter(([name, { count }]) => name.startsWith(prefix) && count === Number.POSITIVE_INFINITY)
      .map(([, { setting }]) => setting);
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
   * The action due at this place now, or null. crash, error and abort are carried out here (throw, SIGKILL); hang and
   * delay are the caller's, as only it knows how to wait without blocking its thread.
   */
  check(name: string, subject = ''): Extract<FailpointAction, { type: 'hang' | 'delay' }> | null {
    if (!this.enabled) return null;
    const armed = this.armed.get(name);
    if (armed === undefined || (armed.only !== null && armed.only !== subject)) return null;
    if (armed.after > 0) {
      armed.after -= 1;
      return null;
    }
    armed.count -= 1;
    if (armed.count <= 0) this.armed.delete(name);
    this.hits.set(name, this.hitsOf(name) + 1);
    const { action } = armed;
    switch (action.type) {
      case 'crash':
        throw new Error(`failpoint ${name}: crash`);
      case 'error':
        throw new MusicfsError(action.code, `failpoint ${name}: error(${action.code})`);
      case 'abort':
        process.kill(process.pid, 'SIGKILL');
        return null;
      case 'hang':
      case 'delay':
        return action;
    }
  }
}
