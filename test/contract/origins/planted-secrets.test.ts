// Secrets are planted in origins over HTTP, every way to fail is provoked, and everything an error could be printed from
// is searched for them: as they are and as they go over the wire.
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { realPath, rootRealPath } from '../../../src/library/real-path.ts';
import type { Credentials } from '../../../src/origins/credentials.ts';
import type { Origin } from '../../../src/origins/origin.ts';
import { S3Origin } from '../../../src/origins/s3-origin.ts';
import { Secret } from '../../../src/origins/secret.ts';
import { WebdavOrigin } from '../../../src/origins/webdav-origin.ts';
import { codeOf } from '../../../src/platform/errors.ts';
import { type Asked, ScriptedHttp } from '../../fixtures/servers/scripted-http.ts';
import { freePort } from '../../fixtures/servers/server-process.ts';

const planted = {
  username: 'planted-user-7f3a',
  password: 'planted-password-91bc',
  token: 'planted-token-44de',
  accessKeyId: 'PLANTEDKEYID5501',
  secretAccessKey: 'planted/secret+key-a0e2',
  sessionToken: 'planted-session-6c6c',
};
const secret = (name: keyof typeof planted) => new Secret(planted[name]);
const basic = `${planted.username}:${planted.password}`;
const forbidden = [
  ...Object.values(planted),
  ...Object.values(planted).map((text) => encodeURIComponent(text)),
  ...Object.values(planted).map((text) => Buffer.from(text).toString('base64').replace(/=+$/, '')),
  Buffer.from(basic).toString('base64'),
  createHash('md5').update(`${planted.username}:music:${planted.password}`).digest('hex'),
];

type Make = (port: number) => Origin;
const webdav =
  (credentials: Credentials): Make =>
  (port) =>
    new WebdavOrigin({ id: 'dav', url: `http://127.0.0.1:${port}/m/`, credentials });
const origins: { name: string; make: Make; refused: Make }[] = [
  {
    name: 'webdav with a password',
    make: webdav({ type: 'basic', username: secret('username'), password: secret('password') }),
    refused: (port) =>
      new WebdavOrigin({
        id: 'dav',
        url: `http://${planted.username}:${planted.password}@127.0.0.1:${port}/`,
        credentials: null,
      }),
  },
  {
    name: 'webdav with a token',
    make: webdav({ type: 'bearer', token: secret('token') }),
    refused: (port) =>
      new WebdavOrigin({ id: 'dav', url: `ftp://${planted.token}:${port}`, credentials: null }),
  },
  {
    name: 's3',
    make: (port) =>
      new S3Origin({
        id: 's3',
        bucket: 'b',
        endpoint: `http://127.0.0.1:${port}`,
        credentials: {
          type: 'aws',
          accessKeyId: secret('accessKeyId'),
          secretAccessKey: secret('secretAccessKey'),
          sessionToken: secret('sessionToken'),
          region: null,
        },
      }),
    refused: (port) =>
      new S3Origin({
        id: 's3',
        bucket: 'b',
        endpoint: `http://${planted.accessKeyId}:${planted.secretAccessKey}@127.0.0.1:${port}`,
        credentials: null,
      }),
  },
];

const digest = { 'WWW-Authenticate': 'Digest realm="music", qop="auth", nonce="n"' };
const plain = { 'WWW-Authenticate': 'Basic realm="music"' };
/** A server that repeats all that it was told, where an error could pick it up. */
const repeating =
  (status: number, more: Record<string, string> = {}) =>
  (asked: Asked, response: ServerResponse): void => {
    const said = JSON.stringify(asked.headers);
    const headers = { 'Content-Type': 'application/xml', 'X-Said': said.replace(/[^ -~]/g, ''), ...more };
    const code = more['X-Code'] ?? 'AccessDenied';
    response
      .writeHead(status, `${asked.headers.authorization ?? 'none'}`.replace(/[^ -~]/g, ''), headers)
      .end(
        `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${said.replaceAll('<', '')}</Message><AWSAccessKeyId>${planted.accessKeyId}</AWSAccessKeyId><StringToSign>${planted.secretAccessKey}</StringToSign></Error>`,
      );
  };

function search(value: unknown): void {
  const json = (() => {
    try {
      return JSON.stringify(value, (_, part: unknown) =>
        part instanceof Error
          ? { ...part, message: part.message, stack: part.stack, cause: part.cause, name: part.name }
          : part,
      );
    } catch {
      return '';
    }
  })();
  const texts = [
    inspect(value, {
      depth: 20,
      showHidden: true,
      getters: true,
      maxStringLength: null,
      maxArrayLength: null,
    }),
    inspect(value),
    String(value),
    json,
  ];
  if (value instanceof Error) {
    texts.push(value.message, value.stack ?? '');
    if (value.cause !== undefined) search(value.cause);
  }
  // Not `toContain`: what it prints when it fails may be very long.
  expect(forbidden.filter((word) => texts.some((text) => text?.includes(word) === true))).toEqual([]);
}

async function everyFailure(origin: Origin, signalOf: () => AbortSignal): Promise<string[]> {
  const version = { sizeBytes: 100, mtimeNs: '0', etag: null };
  const path = realPath('a.flac');
  const calls = [
    () => origin.stat(path, signalOf()),
    () => origin.probe(signalOf()),
    async () => {
      for await (const page of origin.list(rootRealPath, () => true, signalOf())) search(page);
    },
    async () => {
      for await (const chunk of origin.readRange(path, version, 0, 100, signalOf())) search(chunk);
    },
  ];
  const codes: string[] = [];
  for (const call of calls) {
    try {
      await call();
      codes.push('no failure');
    } catch (error) {
      search(error);
      codes.push(codeOf(error));
    }
  }
  return codes;
}

describe.each(origins)('$name', ({ make, refused }) => {
  test('no error, however it came about, and nothing an origin shows of itself, has a secret in it', async () => {
    let wasTold = '';
    const server = await ScriptedHttp.start(() => undefined);
    const unbounded = () => new AbortController().signal;
    const answers = [
      ...[400, 401, 403, 404, 409, 412, 416, 429, 500, 503, 301].map((status) => repeating(status)),
      ...['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'SlowDown', 'NoSuchBucket'].map((code) =>
        repeating(403, { 'X-Code': code }),
      ),
      repeating(401, digest),
      repeating(401, plain),
      repeating(302, { Location: `http://${planted.token}@127.0.0.1:1/${planted.password}` }),
      repeating(207),
      (_: Asked, response: ServerResponse) => response.socket?.end(`HTTP/1.1 ${planted.password}\r\n\r\n`),
      (_: Asked, response: ServerResponse) => response.socket?.destroy(),
    ];
    let failures = 0;
    for (const answer of answers) {
      const origin = make(server.port);
      server.say((asked, response) => {
        wasTold += JSON.stringify(asked);
        answer(asked, response);
      });
      failures += (await everyFailure(origin, unbounded)).filter((code) => code !== 'no failure').length;
      search(origin);
      search(origin.displayName);
      await origin.close();
      failures += (await everyFailure(origin, unbounded)).filter(
        (code) => code === 'origin_unavailable',
      ).length;
    }
    expect(failures).toBeGreaterThan(answers.length * 6);
    // The search is worth something only if the secrets were in play.
    expect(forbidden.some((word) => wasTold.includes(word))).toBe(true);
  });

  test('neither has a failure without any answer: refused, aborted, without an address, misconfigured', async () => {
    const nobody = make(await freePort());
    onTestFinished(() => nobody.close());
    expect(await everyFailure(nobody, () => new AbortController().signal)).toEqual(
      Array.from({ length: 4 }, () => 'origin_unavailable'),
    );
    const silent = await ScriptedHttp.start(() => undefined);
    const waiting = make(silent.port);
    onTestFinished(() => waiting.close());
    expect(await everyFailure(waiting, () => AbortSignal.timeout(60))).toEqual(
      Array.from({ length: 4 }, () => 'deadline_exceeded'),
    );
    expect(() => refused(1)).toThrow();
    try {
      refused(1);
    } catch (error) {
      search(error);
    }
  });
});
