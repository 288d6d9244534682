// Whether the host an sftp origin talks to is the one it should be: the known_hosts files read, a new key kept when that is
// the policy, and a refusal in words that say what to do. What the files mean is known-hosts.ts.
//
// Files are read anew for each connection, so that a line added by a person counts at once. A file that is not there is
// empty; one that cannot be read, or makes no sense, refuses, as it may have said that this key is revoked.
//
// Never here: a guess. A key that has changed is refused under every policy.
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, MusicfsError, messageOf } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import {
  fingerprintOf,
  type HostKeyVerdict,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostsLine,
  knownKeyTypes,
  nameInKnownHosts,
  parseKnownHosts,
} from './known-hosts.ts';

/** `accept-new`: a host of which no key is known is believed the first time, and its key kept. */
export type HostKeyPolicy = 'strict' | 'accept-new';

export interface HostKeysOptions {
  readonly host: string;
  readonly port: number;
  /** The user's and the machine's files; a line for the first of them is what a refusal proposes. */
  readonly files: readonly string[];
  /** A folder of ours: new keys are kept in its file `known_hosts`, which is read too. */
  readonly stateDirectory: string;
  readonly policy: HostKeyPolicy;
}

/** A key that may be used; `keep` makes a new one known, once the host has proved that it is its own. */
export interface AcceptedKey {
  readonly keep: () => Promise<void>;
}

/** The files as they are at one moment. */
export interface HostKeyCheck {
  /** Types of the keys that are known of the host: to be asked for before all others. */
  readonly knownTypes: readonly string[];
  /** Throws `permission_denied` unless the key may be used. */
  readonly check: (key: Buffer) => AcceptedKey;
}

export class HostKeys {
  private readonly options: HostKeysOptions;
  private readonly name: string;
  private readonly ownFile: string;

  constructor(options: HostKeysOptions) {
    this.options = options;
    this.name = nameInKnownHosts(options.host, options.port);
    this.ownFile = path.join(options.stateDirectory, 'known_hosts');
  }

  /** Reads the files. Rejects with `permission_denied` when one of them cannot be trusted. */
  async read(): Promise<HostKeyCheck> {
    const lines: KnownHost[] = [];
    for (const file of new Set([...this.options.files, this.ownFile])) lines.push(...(await linesOf(file)));
    return {
      knownTypes: knownKeyTypes(lines, this.name),
      check: (key) => this.judged(judgeHostKey(lines, this.name, key), key),
    };
  }

  private judged(verdict: HostKeyVerdict, key: Buffer): AcceptedKey {
    const shown = `${keyTypeOf(key) ?? 'a key of no type'} ${fingerprintOf(key)}`;
    switch (verdict.type) {
      case 'known':
        return { keep: async () => undefined };
      case 'new':
        if (this.options.policy === 'accept-new') return { keep: () => this.keep(key) };
        throw refused(`the key of ${this.name} is not known: ${shown}. ${this.wayOut(key)}`);
      case 'changed': {
        const known = verdict.known.map((line) => `${line.type} ${fingerprintOf(line.key)} (${line.place})`);
        throw refused(
          `the key of ${this.name} has changed, or somebody is in between: known is ${known.join(', ')}; shown was ${shown}. If the change is right, remove the line and add the new key`,
        );
      }
      case 'revoked':
        throw refused(`the key of ${this.name} is revoked (${verdict.by.place}): ${shown}`);
      case 'authority':
        throw refused(
          `the key of ${this.name} would have to be signed by an authority (${verdict.by.place}), which musicfs does not check: ${shown}. ${this.wayOut(key)}`,
        );
    }
  }

  private wayOut(key: Buffer): string {
    const { host, port, files } = this.options;
    const file = quoted(files[0] ?? this.ownFile);
    return `Compare the fingerprint with the server's; if it is the same, run: ssh-keyscan -p ${port} ${host} >> ${file}  or add this line: ${knownHostsLine(this.name, key)}`;
  }

  /** Kept at most once by each process that saw it; a line that is there twice does no harm. */
  private async keep(key: Buffer): Promise<void> {
    const known = await this.read();
    try {
      if (known.knownTypes.length > 0) {
        known.check(key);
        return;
      }
      await mkdir(this.options.stateDirectory, { recursive: true, mode: 0o700 });
      await appendFile(this.ownFile, `${knownHostsLine(this.name, key)}\n`, { mode: 0o600 });
    } catch (error) {
      if (error instanceof MusicfsError) throw error;
      throw refused(`the new key of ${this.name} cannot be kept in ${this.ownFile}: ${messageOf(error)}`);
    }
  }
}

async function linesOf(file: string): Promise<KnownHost[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw refused(`the known hosts in ${file} cannot be read: ${messageOf(error)}`);
  }
  if (text.length > limits.knownHostsBytes)
    throw refused(`the known hosts in ${file} are too many: ${limits.knownHostsBytes} bytes is the limit`);
  try {
    return parseKnownHosts(text, file);
  } catch (error) {
    throw refused(`the known hosts in ${file} make no sense: ${messageOf(error)}`);
  }
}

function quoted(file: string): string {
  return /^[\w./~-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}

function refused(message: string): MusicfsError {
  return new MusicfsError('permission_denied', message);
}
