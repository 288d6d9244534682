// What the login at an SSH server is tried with.
import { MusicfsError } from '../platform/errors.ts';

/** A text that shows itself to nobody but who asks for it. */
export interface Revealing {
  reveal(): string;
}

/** The ways to log in, tried in this order: key, agent, password. */
export interface SshLogin {
  readonly kind: 'ssh';
  readonly privateKey?: Revealing;
  /** Absolute path of a private key, read for each connection. */
  readonly keyFile?: string;
  /** Of the private key. */
  readonly passphrase?: Revealing;
  /** The agent of this machine. */
  readonly agent?: true;
  readonly password?: Revealing;
}

export interface SshCredentials extends SshLogin {
  readonly user: string;
}

/** Credentials of an origin of any kind, as far as they are of use here. */
export type AnyCredentials =
  | { readonly type: 'basic'; readonly username: Revealing; readonly password: Revealing }
  | {
      readonly type: 'ssh';
      readonly keyFile: string;
      readonly passphrase: Revealing | null;
      readonly username: Revealing | null;
    }
  | { readonly type: 'aws' | 'aws-default' | 'bearer' };

/**
 * Credentials for an SSH server; without any the agent is asked. A user that they name goes before `user`, which the
 * configuration names. Throws `config_invalid` when they are of another kind, or nobody is named.
 */
export function sshCredentialsOf(credentials: AnyCredentials | null, user: string | null): SshCredentials {
  const named = (by: Revealing | null): string => {
    const name = by?.reveal() ?? user;
    if (name === null || name === '') throw new MusicfsError('config_invalid', 'an sftp origin needs a user');
    return name;
  };
  if (credentials === null) return { kind: 'ssh', user: named(null), agent: true };
  switch (credentials.type) {
    case 'basic':
      return { kind: 'ssh', user: named(credentials.username), password: credentials.password };
    case 'ssh': {
      const { keyFile, passphrase, username } = credentials;
      return { kind: 'ssh', user: named(username), keyFile, ...(passphrase === null ? {} : { passphrase }) };
    }
    case 'aws':
    case 'aws-default':
    case 'bearer':
      throw new MusicfsError(
        'config_invalid',
        `an sftp origin cannot use credentials of kind ${credentials.type}`,
      );
  }
}
