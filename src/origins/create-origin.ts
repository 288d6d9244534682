// From settings to the adapter of that kind. Each is loaded only when it is used: the clients are large.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { MusicfsError } from '../platform/errors.ts';
import { parseMountTable } from '../platform/mount-table.ts';
import type { OriginSettings } from '../platform/origin-settings.ts';
import { unsealCredentials } from './credentials.ts';
import type { Origin } from './origin.ts';
import { RefusedOrigin } from './refused-origin.ts';

export interface CreateOptions {
  readonly stateDirectory: string;
  /** By the origin's id, sealed. */
  readonly credentials: ReadonlyMap<string, MessagePort>;
  /** What was mounted at the root of that origin when it was last scanned whole; null: it never was. */
  readonly mountIdentity: (id: string) => string | null;
  /** Socket of an ssh agent. */
  readonly agentSocket: string | undefined;
}

/** Contacts nobody. Of settings that no origin can be made of comes one whose calls all say why. */
export async function createOrigin(settings: OriginSettings, options: CreateOptions): Promise<Origin> {
  try {
    return await adapterFor(settings, options);
  } catch (error) {
    if (!(error instanceof MusicfsError) || error.code === 'internal') throw error;
    return new RefusedOrigin(settings, error);
  }
}

async function adapterFor(settings: OriginSettings, options: CreateOptions): Promise<Origin> {
  const { id, root } = settings;
  const port = options.credentials.get(id);
  const credentials = port === undefined ? null : unsealCredentials(port);
  switch (settings.kind) {
    case 'local': {
      const { networkMountOf, networkKindOf } = await import('../platform/network-file-system.ts');
      const mount = networkMountOf(root, parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8')));
      const kind = mount === null ? null : networkKindOf(mount.fsType);
      if (kind !== null) {
        const { MountedOrigin } = await import('./mounted-origin.ts');
        return new MountedOrigin({ id, kind, root, expectedIdentity: options.mountIdentity(id) });
      }
      const { LocalFilesOrigin } = await import('./local-files.ts');
      return new LocalFilesOrigin({ id, kind: 'local', root });
    }
    case 'nfs':
    case 'smb': {
      const { MountedOrigin } = await import('./mounted-origin.ts');
      return new MountedOrigin({
        id,
        kind: settings.kind,
        root,
        expectedIdentity: options.mountIdentity(id),
      });
    }
    case 'sftp': {
      const { SftpOrigin } = await import('./sftp-origin.ts');
      const { sshCredentialsOf } = await import('./ssh-credentials.ts');
      const { HostResolver } = await import('./resolve-host.ts');
      const resolver = new HostResolver();
      const known = ['/etc/ssh/ssh_known_hosts', path.join(homedir(), '.ssh/known_hosts')];
      return new SftpOrigin({
        ...{ id, host: settings.host, port: settings.port, path: settings.path },
        hostKeyPolicy: settings.hostKey,
        credentials: sshCredentialsOf(credentials, settings.user),
        knownHostsFiles: settings.knownHosts === null ? known : [...known, settings.knownHosts],
        stateDirectory: path.join(options.stateDirectory, 'ssh'),
        resolve: (host, signal) => resolver.resolve(host, signal),
        ...(options.agentSocket === undefined ? {} : { agentSocket: options.agentSocket }),
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
