// From settings to the adapter of that kind. Each is loaded only when it is used: the clients are large.
import path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { MusicfsError } from '../platform/errors.ts';
import type { OriginSettings } from '../platform/origin-settings.ts';
import { type Credentials, unsealCredentials } from './credentials.ts';
import type { Origin } from './origin.ts';

export interface CreateOptions {
  readonly stateDirectory: string;
  /** By the origin's id, sealed. */
  readonly credentials: ReadonlyMap<string, MessagePort>;
}

/** Contacts nobody. Throws `config_invalid` when its credentials are not of the kind that the origin takes. */
export async function createOrigin(settings: OriginSettings, options: CreateOptions): Promise<Origin> {
  const { id, root } = settings;
  const port = options.credentials.get(id);
  const credentials = port === undefined ? null : unsealCredentials(port);
  switch (settings.kind) {
    case 'local': {
      const { networkFileSystemOf } = await import('./network-file-system.ts');
      const kind = networkFileSystemOf(root);
      if (kind !== null) {
        const { MountedOrigin } = await import('./mounted-origin.ts');
        return new MountedOrigin({ id, kind, root, expectedIdentity: null });
      }
      const { LocalFilesOrigin } = await import('./local-files.ts');
      return new LocalFilesOrigin({ id, kind: 'local', root });
    }
    case 'nfs':
    case 'smb': {
      const { MountedOrigin } = await import('./mounted-origin.ts');
      return new MountedOrigin({ id, kind: settings.kind, root, expectedIdentity: null });
    }
    case 'sftp': {
      const { SftpOrigin } = await import('./sftp-origin.ts');
      const { host, port: sshPort, user, path: remotePath, hostKey } = settings;
      return new SftpOrigin({
        ...{ id, host, port: sshPort, path: remotePath, hostKeyPolicy: hostKey },
        user,
        credentials: sshCredentials(id, credentials),
        knownHostsFiles: settings.knownHosts === null ? [] : [settings.knownHosts],
        stateDirectory: path.join(options.stateDirectory, 'ssh'),
      });
    }
    case 's3': {
      const { S3Origin } = await import('./s3-origin.ts');
      const { bucket, prefix, region, endpoint, pathStyle } = settings;
      return new S3Origin({
        ...{ id, bucket, prefix, region, pathStyle, credentials },
        ...(endpoint === null ? {} : { endpoint }),
      });
    }
    case 'webdav': {
      const { WebdavOrigin } = await import('./webdav-origin.ts');
      const { url, caFile } = settings;
      return new WebdavOrigin({ id, url, credentials, ...(caFile === null ? {} : { caFile }) });
    }
  }
}

function sshCredentials(id: string, credentials: Credentials | null): Credentials | null {
  if (credentials === null || credentials.type === 'ssh' || credentials.type === 'basic') return credentials;
  throw new MusicfsError('config_invalid', `origin ${id}: sftp takes a key file or a password`);
}
