// An origin that cannot be made of what was configured: every call says why. The rest of the library goes on.
import type { OriginSettings } from '../platform/origin-settings.ts';
import type { Origin, OriginCapabilities, OriginEntry, OriginKind } from './origin.ts';

export class RefusedOrigin implements Origin {
  readonly id: string;
  readonly kind: OriginKind;
  readonly displayName: string;
  readonly capabilities: OriginCapabilities = {
    range: false,
    etag: false,
    mtimeNs: false,
    dirMtime: false,
    caseSensitive: true,
  };
  private readonly reason: Error;

  constructor({ id, kind, root }: OriginSettings, reason: Error) {
    this.id = id;
    this.kind = kind;
    this.displayName = root;
    this.reason = reason;
  }

  list(): AsyncIterable<readonly OriginEntry[]> {
    throw this.reason;
  }

  stat(): Promise<OriginEntry> {
    return Promise.reject(this.reason);
  }

  readRange(): AsyncIterable<Uint8Array> {
    throw this.reason;
  }

  probe(): Promise<void> {
    return Promise.reject(this.reason);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
