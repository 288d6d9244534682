// Makes a connection to an SFTP server: address, TCP, SSH with the host's key checked, login, the sftp subsystem. Called by
// the pool of an sftp origin; ssh2 does the SSH.
//
// The package is loaded when the first connection is made. All of it together has 10 s. Errors are told apart by what
// failed (ssh2's `level`, an errno), never by their text, and none of them carries more than the kind of a credential.

import type { LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { AnyAuthMethod, ClientChannel, Client as SshClient } from 'ssh2';
import type { Clock } from '../platform/clock.ts';
import { errnoOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { AcceptedKey, HostKeyCheck, HostKeys } from './host-keys.ts';
import { SftpConnection } from './sftp-connection.ts';
import type { SshCredentials } from './ssh-credentials.ts';
import { untilAborted } from './until-aborted.ts';

/** Addresses of a host, at least one, in the order to try them. */
export type ResolveHost = (host: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly credentials: SshCredentials;
  /** Path of the socket of an ssh agent; undefined: there is none. */
  readonly agentSocket: string | undefined;
  readonly hostKeys: HostKeys;
  readonly resolve: ResolveHost;
  readonly clock: Clock;
  /** The origin, for messages. */
  readonly about: string;
}

type Ssh2 = typeof import('ssh2');

/**
 * Rejects with `origin_unavailable`, `name_resolution` or, for a host or a login that is refused, `permission_denied`.
 * An abort ends what was begun.
 */
export async function dialSftp(options: DialOptions, caller: AbortSignal): Promise<SftpConnection> {
  const tooSlow = new AbortController();
  const undo = options.clock.after(limits.sftpHandshakeMs, () =>
    tooSlow.abort(
      new MusicfsError(
        'origin_unavailable',
        `${options.about}: no connection within ${limits.sftpHandshakeMs / 1000} s`,
      ),
    ),
  );
  const signal = AbortSignal.any([caller, tooSlow.signal]);
  try {
    signal.throwIfAborted();
    const { default: ssh2 } = await import('ssh2');
    const known = await options.hostKeys.read();
    const logins = await loginsOf(options, ssh2);
    const socket = await connectTo(
      await untilAborted(options.resolve(options.host, signal), signal),
      options,
      signal,
    );
    return await sftpOver(socket, logins, known, ssh2, options, signal);
  } finally {
    undo();
  }
}

async function connectTo(
  addresses: readonly LookupAddress[],
  { host, port, about }: DialOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({
    host,
    port,
    noDelay: true,
    // One after the other, as soon as one is slow.
    autoSelectFamily: true,
    lookup: (_host, _options, found) => found(null, [...addresses]),
  });
  try {
    await untilAborted(
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      }),
      signal,
    );
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    const code = errno === 'ENOTFOUND' || errno === 'EAI_AGAIN' ? 'name_resolution' : 'origin_unavailable';
    throw new MusicfsError(code, `${about}: ${errno}`);
  }
}

async function sftpOver(
  socket: Socket,
  logins: AnyAuthMethod[],
  known: HostKeyCheck,
  ssh2: Ssh2,
  options: DialOptions,
  signal: AbortSignal,
): Promise<SftpConnection> {
  const client = new ssh2.Client();
  // Whatever comes after its end is of no interest, but an unheard `error` would be thrown.
  client.on('error', () => undefined);
  const end = () => {
    client.end();
    socket.destroySoon();
    options.clock.after(lastWordsMs, () => socket.destroy());
  };
  try {
    await untilAborted(loggedIn(client, socket, logins, known, options), signal);
    const channel = await untilAborted(subsystem(client, options.about), signal);
    const connection = new SftpConnection({ channel, end }, options.clock, options.about);
    client.on('error', () => connection.end('the connection broke'));
    client.on('close', () => connection.end('the server closed the connection'));
    try {
      await untilAborted(connection.greet(), signal);
      return connection;
    } catch (error) {
      connection.end('given up');
      throw error;
    }
  } catch (error) {
    client.end();
    socket.destroy();
    throw error;
  }
}

/** How long a peer that reads nothing keeps the socket. */
const lastWordsMs = 1_000;

function loggedIn(
  client: SshClient,
  socket: Socket,
  logins: AnyAuthMethod[],
  known: HostKeyCheck,
  { about, credentials }: DialOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let refusal: unknown = null;
    let accepted: AcceptedKey | null = null;
    client.on('ready', () => {
      // Kept only now: before, the host had shown the key, but not proved that it is its own.
      (accepted?.keep() ?? Promise.reject(new Error('a host without a key'))).then(resolve, reject);
    });
    client.on('error', (error) => {
      if (error.level === 'agent') return; // the next way to log in is tried, or none is left
      reject(refusal ?? failureOf(error, logins, about));
    });
    client.on('close', () =>
      reject(new MusicfsError('origin_unavailable', `${about}: the server closed the connection`)),
    );
    client.connect({
      sock: socket,
      username: credentials.user,
      authHandler: logins,
      algorithms: { serverHostKey: keyAlgorithms(known.knownTypes) },
      hostVerifier: (key: Buffer) => {
        try {
          accepted = known.check(key);
          return true;
        } catch (error) {
          refusal = error;
          return false;
        }
      },
      readyTimeout: 0, // one limit for all of it
      keepaliveInterval: limits.sftpKeepaliveMs,
      keepaliveCountMax: limits.sftpKeepalivesMissed,
    });
  });
}

function failureOf(error: Error & { level?: string }, logins: AnyAuthMethod[], about: string): MusicfsError {
  switch (error.level) {
    case 'client-authentication': {
      const tried = [...new Set(logins.map(({ type }) => nameOfLogin[type]))].join(', ');
      return new MusicfsError('permission_denied', `${about}: the login was refused (tried: ${tried})`);
    }
    case 'client-socket':
      return new MusicfsError('origin_unavailable', `${about}: ${errnoOf(error) ?? 'the connection broke'}`);
    default:
      return new MusicfsError(
        'origin_unavailable',
        `${about}: no SSH connection (${error.level ?? 'protocol'})`,
      );
  }
}

const nameOfLogin: Readonly<Record<AnyAuthMethod['type'], string>> = {
  none: 'nothing',
  publickey: 'private key',
  agent: 'ssh agent',
  password: 'password',
  'keyboard-interactive': 'password',
  hostbased: 'host key',
};

function subsystem(client: SshClient, about: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.subsys('sftp', (error, channel) => {
      // After an abort nobody waits any more, and the connection is closed with all that is on it.
      if (error === undefined) resolve(channel);
      else reject(new MusicfsError('origin_unavailable', `${about}: the server offers no sftp`));
    });
    client.once('close', () =>
      reject(new MusicfsError('origin_unavailable', `${about}: the server closed the connection`)),
    );
  });
}

/** What the credentials allow to try. Rejects with `permission_denied` when that is nothing. */
async function loginsOf(options: DialOptions, ssh2: Ssh2): Promise<AnyAuthMethod[]> {
  const { credentials, agentSocket, about } = options;
  const { user: username, password } = credentials;
  const logins: AnyAuthMethod[] = [];
  const privateKey = await privateKeyOf(credentials, about);
  if (privateKey !== null) {
    const parsed = ssh2.utils.parseKey(privateKey, credentials.passphrase?.reveal());
    const key = Array.isArray(parsed) ? parsed[0] : parsed;
    if (key === undefined || key instanceof Error || !key.isPrivateKey()) {
      const why =
        credentials.passphrase === undefined
          ? 'is none, or needs a passphrase'
          : 'or its passphrase is wrong';
      throw new MusicfsError('permission_denied', `${about}: the private key ${why}`);
    }
    logins.push({ type: 'publickey', username, key });
  }
  if (credentials.agent === true) {
    if (agentSocket === undefined || agentSocket === '')
      throw new MusicfsError(
        'permission_denied',
        `${about}: there is no ssh agent here (SSH_AUTH_SOCK is not set)`,
      );
    logins.push({ type: 'agent', username, agent: agentSocket });
  }
  if (password !== undefined) {
    logins.push({ type: 'password', username, password: password.reveal() });
    logins.push({
      type: 'keyboard-interactive',
      username,
      // What is shown while it is typed is no password.
      prompt: (_name, _instructions, _language, prompts, finish) =>
        finish(prompts.map(({ echo }) => (echo === true ? '' : password.reveal()))),
    });
  }
  if (logins.length === 0)
    throw new MusicfsError(
      'permission_denied',
      `${about}: nothing to log in with: a key, an agent or a password`,
    );
  return logins;
}

async function privateKeyOf({ privateKey, keyFile }: SshCredentials, about: string): Promise<string | null> {
  if (privateKey !== undefined) return privateKey.reveal();
  if (keyFile === undefined) return null;
  try {
    return await readFile(keyFile, 'utf8');
  } catch (error) {
    throw new MusicfsError(
      'permission_denied',
      `${about}: the private key cannot be read (${errnoOf(error) ?? '?'})`,
    );
  }
}

const defaultKeyAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/** A host that has several keys shows the one it is asked for first: one of a type that is known of it. */
function keyAlgorithms(knownTypes: readonly string[]): (typeof defaultKeyAlgorithms)[number][] {
  const isKnown = (algorithm: string) =>
    knownTypes.includes(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  return [...defaultKeyAlgorithms].sort((a, b) => Number(isKnown(b)) - Number(isKnown(a)));
}
