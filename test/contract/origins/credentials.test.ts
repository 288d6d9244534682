// Where credentials come from, each mistake with its own line, and that no secret gets out by accident.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import {
  type Credentials,
  readCredentials,
  sealCredentials,
  unsealCredentials,
} from '../../../src/origins/credentials.ts';
import { Secret } from '../../../src/origins/secret.ts';
import { MusicfsError } from '../../../src/platform/errors.ts';
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts';

type Environment = Record<string, string | undefined>;

/** Credentials with their secrets shown. */
const shown = (credentials: Credentials) =>
  Object.fromEntries(
    Object.entries(credentials).map(([key, value]) => [
      key,
      value instanceof Secret ? value.reveal() : value,
    ]),
  );
const read = async (reference: string, env: Environment = {}) => shown(await readCredentials(reference, env));

/** The message of the refusal, which must be a config error without anything planted in it. */
async function refusal(reference: string, env: Environment = {}): Promise<string> {
  try {
    await readCredentials(reference, env);
  } catch (error) {
    expect(error).toBeInstanceOf(MusicfsError);
    expect(error).toMatchObject({ code: 'config_invalid' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('planted');
    return error instanceof Error ? error.message : '';
  }
  throw new Error('nothing was refused');
}

function fileWith(text: string, mode = 0o600): string {
  const file = path.join(temporaryDirectory(), 'nas.toml');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

test('each kind is read from the environment, and nothing stays there', async () => {
  const env: Environment = {
    NAS_USERNAME: 'u',
    NAS_PASSWORD: 'p',
    S3_ACCESS_KEY_ID: 'id',
    S3_SECRET_ACCESS_KEY: 'key',
    S3_SESSION_TOKEN: 'st',
    S3_REGION: 'eu-central-1',
    B2_ACCESS_KEY_ID: 'id2',
    B2_SECRET_ACCESS_KEY: 'key2',
    DAV_TOKEN: 't',
    SSH_KEY_FILE: '/root/.ssh/id',
    SSH_PASSPHRASE: 'pp',
    SSH_USERNAME: 'me',
    PLAIN_KEY_FILE: '/k',
    PATH: '/bin',
    NAS_OTHER: 'stays',
  };
  expect(await read('env:NAS', env)).toEqual({ type: 'basic', username: 'u', password: 'p' });
  expect(await read('env:S3', env)).toEqual({
    type: 'aws',
    accessKeyId: 'id',
    secretAccessKey: 'key',
    sessionToken: 'st',
    region: 'eu-central-1',
  });
  expect(await read('env:B2', env)).toMatchObject({ type: 'aws', sessionToken: null, region: null });
  expect(await read('env:DAV', env)).toEqual({ type: 'bearer', token: 't' });
  expect(await read('env:SSH', env)).toEqual({
    type: 'ssh',
    keyFile: '/root/.ssh/id',
    passphrase: 'pp',
    username: 'me',
  });
  expect(await read('env:PLAIN', env)).toMatchObject({ type: 'ssh', passphrase: null, username: null });
  expect(env).toEqual({ PATH: '/bin', NAS_OTHER: 'stays' });
  expect(await read('aws-default')).toEqual({ type: 'aws-default' });
});

test('a real environment has nothing of it left, for children neither', async () => {
  process.env['MUSICFSTEST_USERNAME'] = 'planted-user';
  process.env['MUSICFSTEST_PASSWORD'] = 'planted-password';
  await readCredentials('env:MUSICFSTEST', process.env);
  expect(execFileSync('env', { encoding: 'utf8', env: process.env })).not.toContain('planted');
});

test('a file may be TOML or JSON, and is read anew each time', async () => {
  const file = fileWith('# mine\nusername = "u"\npassword = \'p"\\\'\n');
  expect(await read(`file:${file}`)).toEqual({ type: 'basic', username: 'u', password: 'p"\\' });
  writeFileSync(file, ' {"token": "new"}');
  expect(await read(`file:${file}`)).toEqual({ type: 'bearer', token: 'new' });
  const link = path.join(temporaryDirectory(), 'link');
  symlinkSync(file, link);
  expect(await read(`file:${link}`)).toEqual({ type: 'bearer', token: 'new' });
});

test('a file that others may read, or own, is refused', async () => {
  for (const mode of [0o640, 0o604, 0o660, 0o606, 0o610]) {
    expect(await refusal(`file:${fileWith('token = "planted"', mode)}`)).toMatch(/open to others; chmod 600/);
  }
  const foreign = fileWith('token = "planted"');
  chownSync(foreign, 65_534, 65_534);
  expect(await refusal(`file:${foreign}`)).toMatch(/owned by another user/);
  expect(await read(`file:${fileWith('token = "t"', 0o400)}`)).toMatchObject({ token: 't' });
});

test('a file that is none says why', async () => {
  const folder = temporaryDirectory();
  expect(await refusal(`file:${folder}/gone`)).toMatch(/does not exist/);
  expect(await refusal(`file:${folder}`)).toMatch(/is no file/);
  execFileSync('mkfifo', ['-m', '600', path.join(folder, 'pipe')]);
  expect(await refusal(`file:${folder}/pipe`)).toMatch(/is no file/);
  expect(await refusal('file:nas.toml')).toMatch(/absolute path/);
  expect(await refusal('file:')).toMatch(/absolute path/);
  expect(await refusal(`file:${fileWith('x'.repeat(70_000))}`)).toMatch(/too large/);
});

test('each mistake in what a file says has its own line, without a word of it', async () => {
  const say = (text: string) => refusal(`file:${fileWith(text)}`);
  expect(await say('planted')).toMatch(/neither TOML nor JSON/);
  expect(await say('token = planted')).toMatch(/neither TOML nor JSON/);
  expect(await say('{"token": "planted"')).toMatch(/neither TOML nor JSON/);
  expect(await say('')).toMatch(
    /no credentials: it needs key_file, or access_key_id and secret_access_key, or token/,
  );
  expect(await say('region = "planted"')).toMatch(/no credentials/);
  expect(await say('planted = "x"')).toMatch(/a name that is none of/);
  expect(await say('token = 5')).toMatch(/token must be a text/);
  expect(await say('[token]\na = "planted"')).toMatch(/token must be a text/);
  expect(await say('username = "planted"')).toMatch(/lacks password/);
  expect(await say('password = "planted"')).toMatch(/lacks username/);
  expect(await say('secret_access_key = "planted"')).toMatch(/lacks access_key_id/);
  expect(await say('username = "planted"\npassword = ""')).toMatch(/password must not be empty/);
  expect(await say('token = "planted"\nusername = "planted"\npassword = "planted"')).toMatch(/several kinds/);
  expect(await say('token = "planted"\nregion = "x"')).toMatch(/several kinds/);
  expect(await say('key_file = "id_rsa"')).toMatch(/key_file must be an absolute path/);
});

test('mistakes in the environment name the variables, and what was read is gone all the same', async () => {
  const env: Environment = { A_USERNAME: 'planted' };
  expect(await refusal('env:A', env)).toMatch(/the environment lacks A_PASSWORD/);
  expect(env).toEqual({});
  expect(await refusal('env:A', env)).toMatch(/A_TOKEN/);
  expect(await refusal('env:', env)).toMatch(/beginning of variable names/);
  expect(await refusal('env:A B', env)).toMatch(/beginning of variable names/);
});

test('a credential of the service manager lies in its folder, which it guards itself', async () => {
  const folder = temporaryDirectory();
  writeFileSync(path.join(folder, 'nas'), 'token = "t"');
  chmodSync(path.join(folder, 'nas'), 0o440);
  const env = { CREDENTIALS_DIRECTORY: folder };
  expect(await read('systemd:nas', env)).toEqual({ type: 'bearer', token: 't' });
  expect(await refusal('systemd:nas')).toMatch(/CREDENTIALS_DIRECTORY is not set/);
  expect(await refusal('systemd:gone', env)).toMatch(/does not exist/);
  mkdirSync(path.join(folder, 'sub'));
  for (const name of ['', '..', '../nas', 'sub/x', '.'])
    expect(await refusal(`systemd:${name}`, env)).toMatch(/name of a credential/);
});

test('a secret in the place of a reference is refused and not repeated', async () => {
  for (const reference of [
    'planted',
    'planted:planted',
    '',
    'ENV:planted',
    'keyring:planted',
    'aws-default-planted',
  ]) {
    await refusal(reference);
  }
  expect(await refusal('planted')).toMatch(/secrets do not stand in the configuration/);
});

test('a secret shows nothing but that it is one, whatever prints, joins, copies or posts it', async () => {
  const secret = new Secret('planted');
  const credentials = await readCredentials('env:A', { A_USERNAME: 'planted-user', A_PASSWORD: 'planted' });
  const texts = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret, credentials }),
    inspect(credentials, { showHidden: true, depth: 9, showProxy: true, getters: true }),
    inspect({ deep: [{ secret }] }, { customInspect: false, showHidden: true, depth: 9 }),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify(Object.getOwnPropertyNames(secret)),
    inspect(structuredClone({ secret })),
    inspect(new Error('x', { cause: secret })),
    JSON.stringify({ ...credentials }),
    Buffer.from(String(secret)).toString('latin1'),
  ];
  for (const text of texts) expect(text).not.toContain('planted');
  expect(secret.reveal()).toBe('planted');
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(secret);
  const received = await new Promise<unknown>((resolve) => port2.once('message', resolve));
  expect(received).toEqual({});
  port1.close();
});

test('sealed credentials travel to another thread, once, and show nothing on the way', async () => {
  const credentials = await readCredentials('env:A', {
    A_ACCESS_KEY_ID: 'planted-id',
    A_SECRET_ACCESS_KEY: 'planted',
  });
  const port = sealCredentials(credentials);
  const message = { id: 's3', credentials: port };
  expect(inspect(message, { depth: 9, showHidden: true }) + JSON.stringify(message)).not.toContain('planted');
  const module_ = new URL('../../../src/origins/credentials.ts', import.meta.url).href;
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     parentPort.once('message', async ({ credentials }) => {
       const { unsealCredentials } = await import(${JSON.stringify(module_)});
       const { type, accessKeyId, secretAccessKey, sessionToken } = unsealCredentials(credentials);
       parentPort.postMessage([type, accessKeyId.reveal(), secretAccessKey.reveal(), sessionToken, String(accessKeyId)]);
     });`,
    { eval: true },
  );
  onTestFinished(async () => {
    await worker.terminate();
  });
  const answer = new Promise<unknown>((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  worker.postMessage(message, [port]);
  expect(await answer).toEqual(['aws', 'planted-id', 'planted', null, '[redacted]']);
  const once = sealCredentials(credentials);
  expect(shown(unsealCredentials(once))).toEqual(shown(credentials));
  expect(() => unsealCredentials(once)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});
