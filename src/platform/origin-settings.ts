// What an origin was configured to be: plain data, without secrets, written to the record of a mount.

/** Minutes of the local day, from 0 to 1,440; one that ends before it begins goes over midnight. */
export interface BandwidthRule {
  readonly fromMinute: number;
  readonly toMinute: number;
  /** 0: no limit. */
  readonly bytesPerSecond: number;
}

interface CommonSettings {
  /** 1 to 32 of a-z, 0-9 and "-". */
  readonly id: string;
  /** For mounted kinds the absolute path, links resolved; otherwise where it is, for people and logs. */
  readonly root: string;
  /** Lower goes first, and its word counts where several hold a file. */
  readonly priority: number;
  /** auto: what comes over a network is kept. */
  readonly cache: 'auto' | 'always' | 'never';
  /** null: what the kind has. */
  readonly concurrency: number | null;
  /** 0: no limit. */
  readonly requestsPerSecond: number;
  /** What may come from it in a second, of what nobody waits for; empty: no limit. */
  readonly bandwidth: readonly BandwidthRule[];
  /** Where the secrets are; see origins/credentials.ts. Never a secret itself. */
  readonly credentials: string | null;
}

export interface MountedSettings extends CommonSettings {
  readonly kind: 'local' | 'nfs' | 'smb';
  /** What becomes of symbolic links: `inside` follows those that stay below the root; see actors/walk-links.ts. */
  readonly symlinks: 'inside' | 'none';
}

export interface SftpSettings extends CommonSettings {
  readonly kind: 'sftp';
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly path: string;
  /** What becomes of a host key that nobody knows. */
  readonly hostKey: 'strict' | 'accept-new';
  /** Beside those of the user and the system; absolute path. */
  readonly knownHosts: string | null;
}

export interface S3Settings extends CommonSettings {
  readonly kind: 's3';
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  /** null: Amazon's own. */
  readonly endpoint: string | null;
  readonly pathStyle: boolean;
}

export interface WebdavSettings extends CommonSettings {
  readonly kind: 'webdav';
  /** Without user or password. */
  readonly url: string;
  /** Certificates to trust beside the system's; absolute path. */
  readonly caFile: string | null;
}

export type OriginSettings = MountedSettings | SftpSettings | S3Settings | WebdavSettings;

/** It is a path of this machine. */
export function isMounted(settings: OriginSettings): settings is MountedSettings {
  return settings.kind === 'local' || settings.kind === 'nfs' || settings.kind === 'smb';
}

/** Its bytes are read through the fetch thread, and kept where that is wanted. Others are read where they lie. */
export function isFetched({ kind, cache }: OriginSettings): boolean {
  return kind !== 'local' || cache === 'always';
}

/** Bytes that were fetched from it are kept. */
export function isCached({ kind, cache }: OriginSettings): boolean {
  return cache === 'always' || (cache === 'auto' && kind !== 'local');
}

/** What of the settings a person need not give. */
export const originDefaults = {
  priority: 100,
  cache: 'auto',
  concurrency: null,
  requestsPerSecond: 0,
  bandwidth: [],
  credentials: null,
} as const;
