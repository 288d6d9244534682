// Reads proto/ and hands out the service definitions, typed. Used by server and client; takes about 10 ms, so it is
// called once per server or connection and never on import.
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { CacheDefinition } from './generated/musicfs/v1/Cache.ts';
import type { DebugDefinition } from './generated/musicfs/v1/Debug.ts';
import type { LibraryDefinition } from './generated/musicfs/v1/Library.ts';
import type { OriginDefinition } from './generated/musicfs/v1/Origin.ts';
import type { PinDefinition } from './generated/musicfs/v1/Pin.ts';
import type { SystemDefinition } from './generated/musicfs/v1/System.ts';

export const shippedProtoDirectory = fileURLToPath(new URL('../../proto', import.meta.url));

/** What scripts/generate-proto-types.ts was told as well. */
export const loadOptions = { longs: Number, enums: String, defaults: true } as const;

/** The files that hold services, below the proto directory. */
export const controlProtoFiles = [
  'musicfs/v1/system.proto',
  'musicfs/v1/origin.proto',
  'musicfs/v1/cache.proto',
  'musicfs/v1/library.proto',
  'musicfs/v1/debug.proto',
] as const;

export interface ControlProto {
  readonly system: SystemDefinition;
  readonly origin: OriginDefinition;
  readonly cache: CacheDefinition;
  readonly pin: PinDefinition;
  readonly library: LibraryDefinition;
  readonly debug: DebugDefinition;
}

export function loadControlProto(protoDirectory: string): ControlProto {
  const definition = loadSync([...controlProtoFiles], { ...loadOptions, includeDirs: [protoDirectory] });
  return {
    // The generated types are made from these very files; a test holds them to it.
    system: definition['musicfs.v1.System'] as unknown as SystemDefinition,
    origin: definition['musicfs.v1.Origin'] as unknown as OriginDefinition,
    cache: definition['musicfs.v1.Cache'] as unknown as CacheDefinition,
    pin: definition['musicfs.v1.Pin'] as unknown as PinDefinition,
    library: definition['musicfs.v1.Library'] as unknown as LibraryDefinition,
    debug: definition['musicfs.v1.Debug'] as unknown as DebugDefinition,
  };
}
