// What an origin proves with who we are. The configuration names where credentials are, never what they are:
//
//   env:PREFIX      PREFIX_USERNAME + _PASSWORD | PREFIX_ACCESS_KEY_ID + _SECRET_ACCESS_KEY [+ _SESSION_TOKEN] [+ _REGION]
//                   | PREFIX_TOKEN | PREFIX_KEY_FILE [+ _PASSPHRASE] [+ _USERNAME]
//   file:/path      TOML or JSON with the same names in lower case; private to its owner, who is us
//   systemd:name    the same, in the folder that the service manager made for this service ($CREDENTIALS_DIRECTORY)
//   aws-default     what the AWS SDK finds by itself
//
// Every mistake is `config_invalid` with one line that says which and what to do. Nothing that was read, nor the
// reference itself where it is of no known form (somebody may have put the secret there), is ever part of a message.
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { parse as parseToml } from 'smol-toml';
import { errnoOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { Secret, sealed, unsealed } from './secret.ts';

export type Credentials =
  | { readonly type: 'basic'; readonly username: Secret; readonly password: Secret }
  | {
      readonly type: 'aws';
      readonly accessKeyId: Secret;
      readonly secretAccessKey: Secret;
      readonly sessionToken: Secret | null;
      readonly region: string | null;
    }
  | { readonly type: 'aws-default' }
  | {
      readonly type: 'ssh';
      /** Absolute path of a private key. */
      readonly keyFile: string;
      readonly passphrase: Secret | null;
      readonly username: Secret | null;
    }
  | { readonly type: 'bearer'; readonly token: Secret };

/** The environment, from which what was read is deleted. */
type Environment = Record<string, string | undefined>;

const names = [
  'username',
  'password',
  'access_key_id',
  'secret_access_key',
  'session_token',
  'region',
  'token',
  'key_file',
  'passphrase',
] as const;
type Name = (typeof names)[number];
type Values = Partial<Record<Name, string>>;

/** kind → the name that marks it, what it must have as well, what it may have. */
const forms = [
  { type: 'ssh', mark: 'key_file', must: [], may: ['passphrase', 'username'] },
  { type: 'aws', mark: 'access_key_id', must: ['secret_access_key'], may: ['session_token', 'region'] },
  { type: 'bearer', mark: 'token', must: [], may: [] },
  { type: 'basic', mark: 'username', must: ['password'], may: [] },
] as const;

/**
 * Reads what the reference names. What came from the environment is deleted there, also after a mistake, so it can be
 * read once; a file can be read again, as after a change of the password. Rejects with `config_invalid`.
 */
export async function readCredentials(reference: string, env: Environment): Promise<Credentials> {
  if (reference === 'aws-default') return { type: 'aws-default' };
  const [, scheme, rest = ''] = /^(env|file|systemd|keyring):(.*)$/s.exec(reference) ?? [];
  switch (scheme) {
    case 'env':
      return fromEnvironment(rest, env);
    case 'file':
      if (!path.isAbsolute(rest)) throw invalid('file: needs an absolute path (file:/etc/musicfs/nas.toml)');
      return fromFile(rest, 'private');
    case 'systemd':
      return fromFile(serviceCredential(rest, env), 'guarded');
    case 'keyring':
      throw invalid('keyring: is not supported yet; use file:, env: or systemd:');
    default:
      throw invalid(
        'must say where they are: env:PREFIX, file:/path, systemd:name or aws-default; secrets do not stand in the configuration',
      );
  }
}

/** For another thread: to be posted with the port in the transfer list too. */
export function sealCredentials(credentials: Credentials): MessagePort {
  return sealed({ ...credentials });
}

/** What `sealCredentials` sealed. Works once for each port. */
export function unsealCredentials(port: MessagePort): Credentials {
  return unsealed(port) as unknown as Credentials;
}

function fromEnvironment(prefix: string, env: Environment): Credentials {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(prefix))
    throw invalid('env: needs the beginning of variable names (env:MUSIC_NAS for MUSIC_NAS_USERNAME)');
  const values: Values = {};
  for (const name of names) {
    const variable = `${prefix}_${name.toUpperCase()}`;
    const value = env[variable];
    if (value === undefined) continue;
    values[name] = value;
    delete env[variable];
  }
  const spell = (name: Name) => `${prefix}_${name.toUpperCase()}`;
  return credentialsOf(values, 'the environment', spell);
}

function serviceCredential(name: string, env: Environment): string {
  const folder = env['CREDENTIALS_DIRECTORY'];
  if (folder === undefined || folder === '')
    throw invalid('systemd: needs LoadCredential= in the unit; CREDENTIALS_DIRECTORY is not set');
  if (name === '' || name.includes('/') || name === '.' || name === '..' || name.includes('\0'))
    throw invalid('systemd: needs the name of a credential, which has no "/"');
  return path.join(folder, name);
}

/** `private`: owned by us and closed to all others. `guarded`: its folder is, by the service manager. */
async function fromFile(file: string, care: 'private' | 'guarded'): Promise<Credentials> {
  const text = await readPrivate(file, care);
  return credentialsOf(valuesIn(text, file), file, (name) => name);
}

async function readPrivate(file: string, care: 'private' | 'guarded'): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    // Not waiting, as a named pipe without a writer would for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = await handle.stat();
    if (!stat.isFile()) throw invalid(`${file} is no file`);
    if (care === 'private') refuseOpenToOthers(file, stat);
    if (stat.size > limits.credentialsFileBytes) throw invalid(`${file} is too large for credentials`);
    return await handle.readFile('utf8');
  } catch (error) {
    if (error instanceof MusicfsError) throw error;
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') throw invalid(`${file} does not exist`);
    if (errno === 'EACCES') throw invalid(`${file} may not be read by the daemon's user`);
    throw invalid(`${file} cannot be read (${errno ?? 'unknown error'})`);
  } finally {
    await handle?.close();
  }
}

function refuseOpenToOthers(file: string, stat: Stats): void {
  if (stat.uid !== process.geteuid?.())
    throw invalid(`${file} is owned by another user than the daemon's; chown it`);
  if ((stat.mode & 0o077) !== 0) throw invalid(`${file} is open to others; chmod 600 ${file}`);
}

/** No cause: what a parser says of a text has parts of the text in it. */
function valuesIn(text: string, file: string): Values {
  let parsed: unknown;
  try {
    parsed = text.trimStart().startsWith('{') ? JSON.parse(text) : parseToml(text);
  } catch {
    throw invalid(`${file} is neither TOML nor JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw invalid(`${file} holds no names and values`);
  const values: Values = {};
  for (const [key, value] of Object.entries(parsed)) {
    const name = names.find((known) => known === key);
    if (name === undefined) throw invalid(`${file} has a name that is none of ${names.join(', ')}`);
    if (typeof value !== 'string') throw invalid(`${file}: ${name} must be a text in quotes`);
    values[name] = value;
  }
  return values;
}

function credentialsOf(values: Values, place: string, spell: (name: Name) => string): Credentials {
  const given = names.filter((name) => values[name] !== undefined);
  const form = forms.find(({ mark, must }) => [mark, ...must].some((name) => given.includes(name)));
  if (form === undefined) {
    const wanted = forms.map(({ mark, must }) => [mark, ...must].map(spell).join(' and '));
    throw invalid(`${place} has no credentials: it needs ${wanted.join(', or ')}`);
  }
  const needed: readonly Name[] = [form.mark, ...form.must];
  const missing = needed.filter((name) => values[name] === undefined);
  if (missing.length > 0) throw invalid(`${place} lacks ${missing.map(spell).join(' and ')}`);
  const empty = given.filter((name) => values[name] === '');
  if (empty.length > 0) throw invalid(`${place}: ${empty.map(spell).join(' and ')} must not be empty`);
  const fitting: readonly Name[] = [...needed, ...form.may];
  const foreign = given.filter((name) => !fitting.includes(name));
  if (foreign.length > 0)
    throw invalid(
      `${place} has credentials of several kinds: ${needed.map(spell).join(', ')}, but also ${foreign.map(spell).join(', ')}`,
    );
  return built(form.type, values, place, spell);
}

function built(
  type: (typeof forms)[number]['type'],
  values: Values,
  place: string,
  spell: (name: Name) => string,
): Credentials {
  const secret = (name: Name) => new Secret(values[name] ?? '');
  const optional = (name: Name) => (values[name] === undefined ? null : secret(name));
  switch (type) {
    case 'basic':
      return { type, username: secret('username'), password: secret('password') };
    case 'bearer':
      return { type, token: secret('token') };
    case 'aws':
      return {
        type,
        accessKeyId: secret('access_key_id'),
        secretAccessKey: secret('secret_access_key'),
        sessionToken: optional('session_token'),
        region: values.region ?? null,
      };
    case 'ssh': {
      const keyFile = values.key_file ?? '';
      if (!path.isAbsolute(keyFile)) throw invalid(`${place}: ${spell('key_file')} must be an absolute path`);
      return { type, keyFile, passphrase: optional('passphrase'), username: optional('username') };
    }
  }
}

function invalid(message: string): MusicfsError {
  return new MusicfsError('config_invalid', `credentials: ${message}`);
}
