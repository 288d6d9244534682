// The one failure that only a client knows. Apart from client.ts, so that who explains it needs no gRPC.
import { MusicfsError } from '../platform/errors.ts';

/** No daemon answers at the socket, or it went away in the middle of a call. */
export class DaemonUnreachable extends MusicfsError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('refused', message, options);
    this.name = 'DaemonUnreachable';
  }
}
