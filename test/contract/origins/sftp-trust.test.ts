// Whom an sftp origin believes, and how it proves who it is: against a real OpenSSH server, with files as ssh writes them.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { fingerprintOf } from '../../../src/origins/known-hosts.ts';
import { SftpOrigin, type SftpOriginOptions } from '../../../src/origins/sftp-origin.ts';
import type { SshCredentials } from '../../../src/origins/ssh-credentials.ts';
import { codeOf, messageOf } from '../../../src/platform/errors.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { type Sshd, type SshdOptions, sftpUser, startSshd } from '../../fixtures/servers/sshd.ts';

const never = new AbortController().signal;
const revealing = (text: string) => ({ reveal: () => text });

interface Trust {
  readonly server: Sshd;
  /** The known_hosts file of the user; not there yet. */
  readonly known: string;
  readonly state: string;
  readonly name: string;
  /** An origin of its own, as after a start of the daemon. */
  readonly origin: (overrides?: Partial<SftpOriginOptions>) => SftpOrigin;
}

async function trust(options: SshdOptions = {}): Promise<Trust> {
  const server = await startSshd(options);
  const key = server.newUserKey();
  const known = path.join(server.folder, 'my known hosts');
  const state = path.join(server.folder, 'state/nas');
  const origin = (overrides: Partial<SftpOriginOptions> = {}) => {
    const made = new SftpOrigin({
      id: 'nas',
      host: '127.0.0.1',
      port: server.port,
      path: server.music,
      credentials: { kind: 'ssh', user: sftpUser.name, privateKey: revealing(key) },
      knownHostsFiles: [known, '/nowhere/known_hosts'],
      hostKeyPolicy: 'strict',
      stateDirectory: state,
      ...overrides,
    });
    onTestFinished(() => made.close());
    return made;
  };
  return { server, known, state, origin, name: `[127.0.0.1]:${server.port}` };
}

/** Code and message of a probe that fails; 'well' when it does not. */
const outcome = (origin: SftpOrigin): Promise<string> =>
  origin.probe(never).then(
    () => 'well',
    (error: unknown) => `${codeOf(error)}: ${messageOf(error)}`,
  );

const fingerprint = (server: Sshd, type = 'ed25519') =>
  fingerprintOf(Buffer.from(server.text(`host-key-${type}.pub`).split(' ')[1] ?? '', 'base64'));

test('a key nobody knows is refused, and both ways that the refusal names make it known', async () => {
  const { server, known, name, origin } = await trust();
  const refusal = await outcome(origin());
  expect(refusal).toMatch(/^permission_denied: /);
  expect(refusal).toContain(fingerprint(server));
  const [, command = ''] = /run: (ssh-keyscan .*?) {2}or/.exec(refusal) ?? [];
  const [, line = ''] = /this line: (.*)$/.exec(refusal) ?? [];
  expect(`${line}\n`).toBe(server.knownHosts(name).replace(/ \n$/, '\n'));
  writeFileSync(known, `${line}\n`);
  expect(await outcome(origin())).toBe('well');
  writeFileSync(known, '');
  execFileSync('sh', ['-c', command], { stdio: 'ignore' });
  expect(await outcome(origin())).toBe('well');
});

test('a key that is known by a hashed name is known', async () => {
  const { server, known, name, origin } = await trust();
  writeFileSync(known, server.knownHosts(name));
  execFileSync('ssh-keygen', ['-q', '-H', '-f', known]);
  expect(readFileSync(known, 'utf8')).not.toContain('127.0.0.1');
  expect(await outcome(origin())).toBe('well');
});

test('the same host on another port is another host', async () => {
  const { server, known, origin } = await trust();
  writeFileSync(known, server.knownHosts('127.0.0.1') + server.knownHosts('[127.0.0.1]:22'));
  expect(await outcome(origin())).toMatch(/^permission_denied: .* not known/);
});

test('a key that has changed is refused under every policy, with both fingerprints', async () => {
  const { server, known, name, origin } = await trust();
  writeFileSync(known, server.knownHosts(name));
  const before = fingerprint(server);
  server.makeHostKeys(['ed25519']);
  await server.restart();
  for (const hostKeyPolicy of ['strict', 'accept-new'] as const) {
    const refusal = await outcome(origin({ hostKeyPolicy }));
    expect(refusal).toMatch(/^permission_denied: .* changed/);
    expect(refusal).toContain(before);
    expect(refusal).toContain(fingerprint(server));
    expect(refusal).toContain(`${known}:1`);
  }
});

test('a new key is kept when that is the policy, and is then the only one', async () => {
  const { server, state, name, origin } = await trust();
  const trusting = origin({ hostKeyPolicy: 'accept-new' });
  expect(await Promise.all([1, 2, 3, 4, 5].map(() => outcome(trusting)))).toEqual(Array(5).fill('well'));
  const kept = path.join(state, 'known_hosts');
  expect(readFileSync(kept, 'utf8')).toContain(server.knownHosts(name).trim());
  expect(statSync(kept).mode & 0o077).toBe(0);
  expect(await outcome(origin({ hostKeyPolicy: 'strict' }))).toBe('well');
  server.makeHostKeys(['ed25519']);
  await server.restart();
  expect(await outcome(trusting)).toMatch(/^permission_denied: .* changed/);
});

test('a key that is not accepted is not kept', async () => {
  const { state, origin } = await trust();
  await outcome(origin());
  expect(existsSync(state)).toBe(false);
  // Nor is one of a host that let nobody in.
  const stranger = origin({
    hostKeyPolicy: 'accept-new',
    credentials: { kind: 'ssh', user: sftpUser.name, password: revealing('x') },
  });
  expect(await outcome(stranger)).toMatch(/^permission_denied: .* login/);
  expect(existsSync(state)).toBe(false);
});

test('a host with several keys is asked for the one that is known', async () => {
  for (const type of ['rsa', 'ecdsa', 'ed25519'] as const) {
    const { server, known, name, origin } = await trust({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
    writeFileSync(known, server.knownHosts(name, [type]));
    expect(await outcome(origin())).toBe('well');
  }
});

test('a revoked key is refused, an authority is not taken for a key, and both say where they stand', async () => {
  const { server, known, name, origin } = await trust();
  const line = server.knownHosts(name);
  writeFileSync(known, `${line}@revoked * ${line.split(' ').slice(1).join(' ')}`);
  expect(await outcome(origin())).toMatch(/^permission_denied: .* revoked \(.*my known hosts:2\)/);
  writeFileSync(known, `@cert-authority ${line}`);
  expect(await outcome(origin({ hostKeyPolicy: 'accept-new' }))).toMatch(
    /^permission_denied: .* authority \(.*my known hosts:1\)/,
  );
});

test('a file that makes no sense or cannot be read refuses, whatever the others say', async () => {
  const { server, known, name, origin } = await trust();
  const bad = path.join(server.folder, 'bad');
  writeFileSync(known, server.knownHosts(name));
  writeFileSync(bad, '# fine\nno line\n');
  expect(await outcome(origin({ knownHostsFiles: [known, bad] }))).toMatch(/^permission_denied: .*bad:2/);
  mkdirSync(path.join(server.folder, 'folder'));
  expect(await outcome(origin({ knownHostsFiles: [known, path.join(server.folder, 'folder')] }))).toMatch(
    /^permission_denied: .*cannot be read/,
  );
  // A line that is put right counts at once.
  const again = origin({ knownHostsFiles: [known, bad] });
  expect(await outcome(again)).toMatch(/^permission_denied/);
  writeFileSync(bad, '');
  expect(await outcome(again)).toBe('well');
});

/** An origin of a host that is known, with these credentials. */
async function withCredentials(make: (server: Sshd) => SshCredentials, agentSocket?: string) {
  const { server, known, name, origin } = await trust();
  writeFileSync(known, server.knownHosts(name));
  const credentials = make(server);
  return { server, origin: origin({ credentials, ...(agentSocket === undefined ? {} : { agentSocket }) }) };
}

test('a password lets in, and a wrong one is refused without being shown', async () => {
  const right = { kind: 'ssh', user: sftpUser.name, password: revealing(sftpUser.password) } as const;
  expect(await outcome((await withCredentials(() => right)).origin)).toBe('well');
  const wrong = { kind: 'ssh', user: sftpUser.name, password: revealing('wrong battery') } as const;
  const { origin } = await withCredentials(() => wrong);
  expect(await outcome(origin)).toMatch(/^permission_denied: .*\(tried: password\)/);
  await showsNone(origin, ['wrong battery', sftpUser.name]);
});

test('a key with a passphrase lets in; without it, or with a wrong one, it is refused without being shown', async () => {
  const withPassphrase = (passphrase?: string) =>
    withCredentials((server) => {
      const privateKey = revealing(server.newUserKey('open sesame'));
      return passphrase === undefined
        ? { kind: 'ssh', user: sftpUser.name, privateKey }
        : { kind: 'ssh', user: sftpUser.name, privateKey, passphrase: revealing(passphrase) };
    });
  expect(await outcome((await withPassphrase('open sesame')).origin)).toBe('well');
  for (const passphrase of [undefined, 'closed sesame']) {
    const { origin } = await withPassphrase(passphrase);
    expect(await outcome(origin)).toMatch(/^permission_denied: .*private key/);
    await showsNone(origin, ['sesame', 'PRIVATE KEY', sftpUser.name]);
  }
});

test('a key is read from its file, anew for each connection', async () => {
  const { server, known, name, origin } = await trust();
  writeFileSync(known, server.knownHosts(name));
  const keyFile = path.join(server.folder, 'my key');
  const made = origin({ credentials: { kind: 'ssh', user: sftpUser.name, keyFile } });
  expect(await outcome(made)).toMatch(/^permission_denied: .*private key cannot be read \(ENOENT\)/);
  writeFileSync(keyFile, server.newUserKey(), { mode: 0o600 });
  expect(await outcome(made)).toBe('well');
});

test('a key that the server does not know is refused', async () => {
  const { server, origin } = await withCredentials((made) => {
    const key = made.newUserKey();
    writeFileSync(path.join(made.folder, 'authorized-keys'), '');
    return { kind: 'ssh', user: sftpUser.name, privateKey: revealing(key) };
  });
  expect(await outcome(origin)).toMatch(/^permission_denied: .*\(tried: private key\)/);
  expect(server.text('authorized-keys')).toBe('');
});

test('an agent lets in; one that is not there is named', async () => {
  const { server, known, name, origin } = await trust();
  writeFileSync(known, server.knownHosts(name));
  const agentSocket = path.join(server.folder, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', agentSocket], { stdio: 'ignore' });
  onTestFinished(() => {
    agent.kill('SIGKILL');
  });
  await eventually('the agent is up', () => existsSync(agentSocket));
  const credentials = { kind: 'ssh', user: sftpUser.name, agent: true } as const;
  expect(await outcome(origin({ credentials, agentSocket }))).toMatch(
    /^permission_denied: .*\(tried: ssh agent\)/,
  );
  const keyFile = path.join(server.folder, 'agent-key');
  writeFileSync(keyFile, server.newUserKey(), { mode: 0o600 });
  execFileSync('ssh-add', ['-q', keyFile], {
    env: { ...process.env, SSH_AUTH_SOCK: agentSocket },
    stdio: 'ignore',
  });
  expect(await outcome(origin({ credentials, agentSocket }))).toBe('well');
  expect(await outcome(origin({ credentials }))).toMatch(/^permission_denied: .*SSH_AUTH_SOCK/);
  expect(await outcome(origin({ credentials, agentSocket: `${agentSocket}.gone` }))).toMatch(
    /^permission_denied: .*\(tried: ssh agent\)/,
  );
});

test('of several ways to log in the next one is tried', async () => {
  const { origin } = await withCredentials((server) => {
    const key = server.newUserKey();
    writeFileSync(path.join(server.folder, 'authorized-keys'), '');
    return {
      kind: 'ssh',
      user: sftpUser.name,
      privateKey: revealing(key),
      agent: true,
      password: revealing(sftpUser.password),
    };
  }, '/nowhere/agent');
  expect(await outcome(origin)).toBe('well');
});

/** Neither what a failure says, nor what lies behind it, shows any of these. */
async function showsNone(origin: SftpOrigin, secrets: readonly string[]): Promise<void> {
  const error: unknown = await origin.probe(never).catch((failure: unknown) => failure);
  const text = inspect(error, { depth: 10, showHidden: true }) + String(error);
  for (const secret of secrets) expect(text).not.toContain(secret);
}
