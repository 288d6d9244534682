// A text that must not be seen: a password, a key, a user name. Whatever prints, logs, serialises or clones one by
// accident gets `[redacted]` or nothing; only `reveal` gives the text, and only the code that talks to the origin calls it.
//
// A secret goes to another thread only on purpose: `sealed` puts values that hold secrets into a MessagePort, which is
// posted with a transfer list and shows nothing in a log of the message. `unsealed` takes them out there, once.
import { inspect } from 'node:util';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { MusicfsError } from '../platform/errors.ts';

const redacted = '[redacted]';

export class Secret {
  // Private to the language, not only to the compiler: no key, no JSON, no structured clone, no inspection reaches it.
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

/** A flat record some of whose values are secrets: what an origin's credentials are. */
type Holder = Readonly<Record<string, string | Secret | null>>;

/**
 * The values as a port for `postMessage(message, [port])`. It can be opened once, so a thread that is started again
 * gets a port of its own.
 */
export function sealed(values: Holder): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(
    Object.entries(values).map(([key, value]) =>
      value instanceof Secret ? [key, value.reveal(), true] : [key, value, false],
    ),
  );
  port1.close();
  return port2;
}

/** What was sealed, on the other side. Throws `invalid_argument` when the port was opened before. */
export function unsealed(port: MessagePort): Holder {
  const received = receiveMessageOnPort(port);
  port.close();
  if (received === undefined)
    throw new MusicfsError('invalid_argument', 'these credentials were unsealed before');
  const entries = received.message as readonly (readonly [string, string | null, boolean])[];
  return Object.fromEntries(
    entries.map(([key, value, isSecret]) => [key, isSecret && value !== null ? new Secret(value) : value]),
  );
}
