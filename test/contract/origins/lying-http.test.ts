// Origins over HTTP and servers that answer what no honest one does: nothing of it comes out as bytes or as names, and
// each refusal has its code.
import { execFileSync } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { realPath } from '../../../src/library/real-path.ts';
import type { Credentials } from '../../../src/origins/credentials.ts';
import { S3Origin } from '../../../src/origins/s3-origin.ts';
import { Secret } from '../../../src/origins/secret.ts';
import { WebdavOrigin } from '../../../src/origins/webdav-origin.ts';
import { filler } from '../../fixtures/audio-files.ts';
import { eventually } from '../../fixtures/eventually.ts';
import { codeOfCall, listEntries, readBytes, unbounded } from '../../fixtures/read-origin.ts';
import { type Asked, ScriptedHttp } from '../../fixtures/servers/scripted-http.ts';
import {
  startApache,
  type WebdavServer,
  webdavPassword,
  webdavUser,
} from '../../fixtures/servers/webdav-servers.ts';
import { webdavCredentials, webdavHarness } from '../../fixtures/webdav-harness.ts';

const bytes = filler(10_000, 31);
const version = { sizeBytes: 10_000, mtimeNs: '1234567890000000000', etag: '"e"' };
const modified = 'Fri, 13 Feb 2009 23:31:30 GMT';

/** A head for bytes 1,000 to 1,999, and what differs from it. */
const head = (more: Record<string, string> = {}) => ({
  'Content-Range': 'bytes 1000-1999/10000',
  'Content-Length': '1000',
  ETag: '"e"',
  'Last-Modified': modified,
  ...more,
});
const part = bytes.subarray(1_000, 2_000);
const chunked = (response: ServerResponse, body: Buffer, more: Record<string, string> = {}) => {
  const { 'Content-Length': _, ...rest } = head(more);
  response.writeHead(206, rest).end(body);
};

interface Kind {
  readonly name: string;
  readonly make: (port: number, credentials?: Credentials | null) => WebdavOrigin | S3Origin;
}

const kinds: readonly Kind[] = [
  {
    name: 'webdav',
    make: (port, credentials = null) =>
      new WebdavOrigin({ id: 'dav', url: `http://127.0.0.1:${port}/m`, credentials }),
  },
  {
    name: 's3',
    make: (port, credentials = null) =>
      new S3Origin({ id: 's3', bucket: 'b', endpoint: `http://127.0.0.1:${port}`, credentials }),
  },
];

async function scene(
  kind: Kind,
  answer: (asked: Asked, response: ServerResponse) => void,
  credentials?: Credentials,
) {
  const server = await ScriptedHttp.start(answer);
  const origin = kind.make(server.port, credentials);
  onTestFinished(() => origin.close());
  return { server, origin, read: () => readBytes(origin, 'a.flac', version, 1_000, 1_000) };
}

describe.each(kinds)('a lying server of kind $name', (kind) => {
  test('R-45: an honest answer is taken', async () => {
    const { server, origin, read } = await scene(kind, (_, response) =>
      response.writeHead(206, head()).end(part),
    );
    expect(await read()).toEqual(part);
    server.say((_, response) => chunked(response, part));
    expect(await read()).toEqual(part);
    expect(server.asked.map(({ method }) => method)).toEqual(['GET', 'GET']); // no HEAD before a read
    expect(server.asked[0]?.headers).toMatchObject({
      range: 'bytes=1000-1999',
      'if-match': '"e"',
      'accept-encoding': 'identity',
    });
    expect(origin.capabilities.range).toBe(true);
  });

  test('R-45: another range, encoding or length than asked for is a failure of the origin', async () => {
    const { server, read } = await scene(kind, () => undefined);
    const lies: ((response: ServerResponse) => void)[] = [
      (response) =>
        response.writeHead(206, head({ 'Content-Range': 'bytes 0-999/10000' })).end(bytes.subarray(0, 1_000)),
      (response) =>
        response
          .writeHead(206, head({ 'Content-Range': 'bytes 1000-2000/10000', 'Content-Length': '1001' }))
          .end(bytes.subarray(1_000, 2_001)),
      (response) => response.writeHead(206, head({ 'Content-Encoding': 'gzip' })).end(part),
      (response) => chunked(response, part.subarray(0, 999)),
      (response) => chunked(response, bytes.subarray(1_000, 2_001)),
      (response) => chunked(response, Buffer.alloc(0)),
      (response) => {
        response.writeHead(206, head()).write(part.subarray(0, 500));
        response.destroy();
      },
      (response) => response.writeHead(204).end(),
      (response) =>
        response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>log in</html>'.repeat(1_000)),
      (response) =>
        response
          .writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': '10000' })
          .end(Buffer.alloc(10_000, 60)),
      (response) => response.writeHead(500).end('<html>'),
      (response) => response.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>'),
      (response) =>
        response.socket?.end('HTTP/1.1 206 Partial\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef'),
      (response) => response.socket?.end('garbage\r\n\r\n'),
    ];
    for (const [at, lie] of lies.entries()) {
      server.say((_, response) => lie(response));
      expect([at, await codeOfCall(read())]).toEqual([at, 'origin_unavailable']);
    }
    const { 'Content-Range': _, ...without } = head();
    server.say((__, response) => response.writeHead(206, without).end(part));
    expect(await codeOfCall(read())).toBe('origin_unavailable');
  });

  test('R-45: another version is one, whether the server compares it or not', async () => {
    const { server, read } = await scene(kind, () => undefined);
    const others: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(206, head({ ETag: '"f"' })).end(part),
      (response) => response.writeHead(206, head({ 'Content-Range': 'bytes 1000-1999/10001' })).end(part),
      (response) => response.writeHead(412).end(),
      (response) => response.writeHead(416, { 'Content-Range': 'bytes */500' }).end(),
    ];
    for (const [at, other] of others.entries()) {
      server.say((_, response) => other(response));
      expect([at, await codeOfCall(read())]).toEqual([at, 'version_gone']);
    }
  });

  test('refusals have their codes, and a pause its length', async () => {
    const { server, origin, read } = await scene(kind, () => undefined);
    const codes: [number, Record<string, string>, string][] = [
      [401, {}, 'permission_denied'],
      [403, {}, 'permission_denied'],
      [404, {}, 'not_found'],
      [429, {}, 'origin_rate_limited'],
      [429, { 'Retry-After': '7' }, 'origin_rate_limited'],
      [503, { 'Retry-After': '7' }, 'origin_rate_limited'],
      [503, {}, 'origin_unavailable'],
      [500, {}, 'origin_unavailable'],
      [507, {}, 'origin_unavailable'],
    ];
    for (const [status, headers, code] of codes) {
      server.say((_, response) => response.writeHead(status, headers).end());
      expect([status, await codeOfCall(read())]).toEqual([status, code]);
      const asked = server.asked.length;
      await read().catch((error: { retryAfterMs?: number }) => {
        expect(error.retryAfterMs).toBe(headers['Retry-After'] === undefined ? undefined : 7_000);
      });
      expect(server.asked.length).toBe(asked + 1); // nothing is tried again
    }
    server.say((_, response) => response.writeHead(404).end());
    // A root that is not there is a dead origin to its probe, whatever its files are to it.
    expect(['origin_unavailable', 'not_found']).toContain(await codeOfCall(origin.probe(unbounded())));
  });

  test('a listing that is a page, or is cut off, is no listing', async () => {
    const { server, origin } = await scene(kind, () => undefined);
    const whole =
      '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key>';
    for (const [status, text] of [
      [kind.name === 's3' ? 200 : 207, '<html><body>log in<br></body></html>'],
      [kind.name === 's3' ? 200 : 207, whole],
      [kind.name === 's3' ? 200 : 207, '<html><body>log in</body></html>'],
      [200, ''],
      [207, ''],
    ] as const) {
      server.say((_, response) =>
        response.writeHead(status, { 'Content-Type': 'application/xml' }).end(text),
      );
      expect([text, await codeOfCall(listEntries(origin))]).toEqual([text, 'origin_unavailable']);
    }
  });
});

const [webdav, s3] = kinds as [Kind, Kind];

describe('webdav', () => {
  let tls: WebdavServer & { caFile: string };
  beforeAll(async () => {
    tls = await startApache({ auth: 'Basic', isTls: true });
  });
  afterAll(() => tls?.end());

  const whole = (_: Asked, response: ServerResponse) =>
    response.writeHead(200, { 'Content-Length': '10000', ETag: '"e"', 'Last-Modified': modified }).end(bytes);

  test('a server without ranges is read from the start, and loses the capability', async () => {
    const { server, origin, read } = await scene(webdav, whole);
    expect(origin.capabilities.range).toBe(true);
    expect(await read()).toEqual(part);
    expect(origin.capabilities.range).toBe(false);
    expect(await read()).toEqual(part);
    expect(await readBytes(origin, 'a.flac', version, 9_000, 5_000)).toEqual(bytes.subarray(9_000));
    expect(server.asked.map(({ headers }) => headers.range)).toEqual([
      'bytes=1000-1999',
      undefined,
      undefined,
    ]);
    server.say((_, response) =>
      response.writeHead(200, { 'Content-Length': '10000', ETag: '"f"' }).end(bytes),
    );
    expect(await codeOfCall(read())).toBe('version_gone');
  });

  test('a whole file that was asked for as a whole costs no capability', async () => {
    const { origin } = await scene(webdav, whole);
    expect(await readBytes(origin, 'a.flac', version)).toEqual(bytes);
    expect(origin.capabilities.range).toBe(true);
  });

  test('a weak etag is not sent, as it would never match, but compared', async () => {
    const weak = { ...version, etag: 'W/"e"' };
    const { server, origin } = await scene(webdav, (_, response) =>
      response.writeHead(206, head({ ETag: 'W/"e"' })).end(part),
    );
    expect(await readBytes(origin, 'a.flac', weak, 1_000, 1_000)).toEqual(part);
    expect(server.asked[0]?.headers['if-match']).toBeUndefined();
    server.say((_, response) => response.writeHead(206, head({ ETag: 'W/"f"' })).end(part));
    expect(await codeOfCall(readBytes(origin, 'a.flac', weak, 1_000, 1_000))).toBe('version_gone');
  });

  test('without etags the time decides, to the second', async () => {
    const { ETag: _, ...bare } = head();
    const { server, origin } = await scene(webdav, (__, response) => response.writeHead(206, bare).end(part));
    const dated = { ...version, etag: null };
    expect(await readBytes(origin, 'a.flac', dated, 1_000, 1_000)).toEqual(part);
    server.say((__, response) =>
      response.writeHead(206, { ...bare, 'Last-Modified': 'Fri, 13 Feb 2009 23:31:31 GMT' }).end(part),
    );
    expect(await codeOfCall(readBytes(origin, 'a.flac', dated, 1_000, 1_000))).toBe('version_gone');
  });

  test('redirects are followed on the same server only, and not for ever', async () => {
    const other = await ScriptedHttp.start((_, response) => response.writeHead(206, head()).end(part));
    const { server, read } = await scene(
      webdav,
      (asked, response) =>
        asked.path === '/m/a.flac'
          ? response.writeHead(302, { Location: '/n/a%20b.flac?x=1' }).end()
          : response.writeHead(206, head()).end(part),
      { type: 'bearer', token: new Secret('planted-token') },
    );
    expect(await read()).toEqual(part);
    expect(server.asked.at(-1)).toMatchObject({
      path: '/n/a%20b.flac?x=1',
      headers: { range: 'bytes=1000-1999' },
    });
    for (const location of [
      `http://127.0.0.1:${other.port}/a`,
      `//127.0.0.1:${other.port}/a`,
      'https://127.0.0.1/a',
      'http://[bad',
    ]) {
      server.say((_, response) => response.writeHead(302, { Location: location }).end());
      const before = server.asked.length;
      expect(await codeOfCall(read())).toBe('origin_unavailable');
      expect(server.asked.length).toBe(before + 1);
    }
    expect(other.asked).toEqual([]);
    server.say((_, response) => response.writeHead(302, { Location: '/m/a.flac' }).end());
    const before = server.asked.length;
    expect(await codeOfCall(read())).toBe('origin_unavailable');
    expect(server.asked.length - before).toBe(4);
  });

  test('a password is not shown unasked, nor plainly where Digest is offered, nor tried again and again', async () => {
    const asks = { 'WWW-Authenticate': 'Digest realm="music", qop="auth", nonce="n", Basic realm="music"' };
    const { server, read } = await scene(
      webdav,
      (_, response) => response.writeHead(401, asks).end(),
      webdavCredentials,
    );
    expect(await codeOfCall(read())).toBe('permission_denied');
    expect(server.asked.map(({ headers }) => String(headers.authorization).split(' ')[0])).toEqual([
      'undefined',
      'Digest',
    ]);
    expect(JSON.stringify(server.asked)).not.toContain(Buffer.from(webdavPassword).toString('base64'));
    const basic = await scene(
      webdav,
      (asked, response) =>
        asked.headers.authorization === undefined
          ? response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="music"' }).end()
          : response.writeHead(206, head()).end(part),
      webdavCredentials,
    );
    expect(await basic.read()).toEqual(part);
    expect(await basic.read()).toEqual(part);
    expect(basic.server.asked.map(({ headers }) => headers.authorization !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
    const token = `Basic ${Buffer.from(`${webdavUser}:${webdavPassword}`).toString('base64')}`;
    expect(basic.server.asked[1]?.headers.authorization).toBe(token);
  });

  test('a probe wants WebDAV, not just an answer', async () => {
    const { server, origin } = await scene(webdav, (_, response) => response.writeHead(200).end('hello'));
    expect(await codeOfCall(origin.probe(unbounded()))).toBe('origin_unavailable');
    server.say((_, response) => response.writeHead(401).end());
    expect(await codeOfCall(origin.probe(unbounded()))).toBe('permission_denied');
    server.say((_, response) =>
      response
        .writeHead(207)
        .end(
          '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/m/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>',
        ),
    );
    await origin.probe(unbounded());
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array.from({ length: 3 }, () => 'PROPFIND /m/'),
    );
  });

  test('a listing asks for a fixed set of properties, one level deep', async () => {
    const { server, origin } = await scene(webdav, (_, response) =>
      response
        .writeHead(207)
        .end(
          '<multistatus xmlns="DAV:"><response><href>/m/</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>',
        ),
    );
    expect(await listEntries(origin)).toEqual([]);
    expect(server.asked).toMatchObject([{ method: 'PROPFIND', path: '/m/', headers: { depth: '1' } }]);
  });

  test('an answer without end is ended by us, whether it is wanted or not', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, ' ');
    const { server, origin } = await scene(webdav, () => undefined);
    const endless = (status: number) => (_: Asked, response: ServerResponse) => {
      const more = (): void => {
        while (!response.destroyed && response.write(mebibyte));
      };
      response.writeHead(status).on('drain', more);
      more();
    };
    for (const status of [207, 404]) {
      server.say(endless(status));
      expect(await codeOfCall(listEntries(origin))).toBe(status === 207 ? 'origin_unavailable' : 'not_found');
      await eventually('the transfer has ended', () => origin.underWay === 0, 5_000);
    }
  });

  test('TLS: a server of an own authority is trusted with its CA file, and only then', async () => {
    const harness = await webdavHarness(tls, { host: 'localhost', scheme: 'https', caFile: tls.caFile });
    onTestFinished(() => harness.end());
    await harness.put('a.flac', bytes);
    const entry = await harness.origin.stat(realPath('a.flac'), unbounded());
    expect(await readBytes(harness.origin, 'a.flac', entry)).toEqual(bytes);
    const stranger = await webdavHarness(tls, { host: 'localhost', scheme: 'https' });
    onTestFinished(() => stranger.end());
    expect(await codeOfCall(listEntries(stranger.origin))).toBe('origin_unavailable');
    const misnamed = await webdavHarness(tls, { scheme: 'https', caFile: tls.caFile }); // by its address
    onTestFinished(() => misnamed.end());
    expect(await codeOfCall(listEntries(misnamed.origin))).toBe('origin_unavailable');
    const lacking = await webdavHarness(tls, {
      host: 'localhost',
      scheme: 'https',
      caFile: '/nowhere/ca.pem',
    });
    onTestFinished(() => lacking.end());
    expect(await codeOfCall(listEntries(lacking.origin))).toBe('origin_unavailable');
  });

  test('the real Apache refuses a wrong password as such', async () => {
    const wrong: Credentials = { type: 'basic', username: new Secret(webdavUser), password: new Secret('x') };
    for (const credentials of [wrong, null]) {
      const harness = await webdavHarness(tls, {
        host: 'localhost',
        scheme: 'https',
        caFile: tls.caFile,
        credentials,
      });
      onTestFinished(() => harness.end());
      expect(await codeOfCall(listEntries(harness.origin))).toBe('permission_denied');
    }
  });

  test('a URL with user info, or of another scheme, is refused without quoting it', () => {
    for (const url of ['http://user:planted@nas/', 'ftp://nas/', 'nas', '']) {
      expect(() => new WebdavOrigin({ id: 'dav', url, credentials: null })).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.not.stringContaining('planted') }),
      );
    }
  });
});

describe('s3', () => {
  const failing =
    (status: number, code: string, headers: Record<string, string> = {}) =>
    (_: Asked, response: ServerResponse) =>
      response
        .writeHead(status, { 'Content-Type': 'application/xml', ...headers })
        .end(
          `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message><AWSAccessKeyId>planted</AWSAccessKeyId></Error>`,
        );

  test('errors of the store have their codes', async () => {
    const { server, read } = await scene(s3, () => undefined);
    const codes: [number, string, string][] = [
      [403, 'InvalidObjectState', 'unsupported_operation'],
      [403, 'AccessDenied', 'permission_denied'],
      [403, 'SignatureDoesNotMatch', 'permission_denied'],
      [400, 'ExpiredToken', 'permission_denied'],
      [404, 'NoSuchKey', 'not_found'],
      [404, 'NoSuchBucket', 'origin_unavailable'], // a bucket that went is no reason to forget its files
      [503, 'SlowDown', 'origin_rate_limited'],
      [400, 'Throttling', 'origin_rate_limited'],
      [412, 'PreconditionFailed', 'version_gone'],
      [416, 'InvalidRange', 'version_gone'],
      [301, 'PermanentRedirect', 'origin_unavailable'],
      [500, 'InternalError', 'origin_unavailable'],
    ];
    for (const [status, name, code] of codes) {
      server.say(failing(status, name));
      expect([name, await codeOfCall(read())]).toEqual([name, code]);
    }
    server.say(failing(403, 'InvalidObjectState'));
    await expect(read()).rejects.toThrow(/archived/);
    server.say(failing(503, 'SlowDown', { 'Retry-After': '3' }));
    await expect(read()).rejects.toMatchObject({ code: 'origin_rate_limited', retryAfterMs: 3_000 });
    expect(server.asked.length).toBe(codes.length + 2); // nothing was tried again
  });

  test('a bucket that is not there is a dead origin to listing and probe', async () => {
    const { server, origin } = await scene(s3, failing(404, 'NoSuchBucket'));
    expect(await codeOfCall(listEntries(origin))).toBe('origin_unavailable');
    expect(await codeOfCall(origin.probe(unbounded()))).toBe('origin_unavailable');
    expect(await codeOfCall(origin.stat(realPath('a.flac'), unbounded()))).toBe('origin_unavailable');
    expect(server.asked.at(1)?.method).toBe('HEAD');
  });

  test('the whole object instead of a range is refused before a byte of it, as it would cost its whole length', async () => {
    const { origin } = await scene(s3, (_, response) => {
      response.writeHead(200, { 'Content-Length': '10000', ETag: '"e"' }).write(bytes.subarray(0, 500));
    });
    const got: Uint8Array[] = [];
    const reading = async () => {
      for await (const chunk of origin.readRange(
        realPath('a.flac'),
        version,
        1_000,
        1_000,
        AbortSignal.timeout(2_000),
      ))
        got.push(chunk);
    };
    expect(await codeOfCall(reading())).toBe('origin_unavailable');
    expect(got).toEqual([]);
  });

  test('R-45: a listing that is cut off, without a length that would tell, is refused as a whole', async () => {
    const { server, origin } = await scene(s3, (_, response) =>
      response.socket?.end(
        'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents>',
      ),
    );
    expect(await codeOfCall(listEntries(origin))).toBe('origin_unavailable');
    expect(server.asked).toHaveLength(1);
  });

  test('without credentials nothing is signed; with them, and a region, it is', async () => {
    const anonymous = await scene(s3, (_, response) => response.writeHead(206, head()).end(part));
    await anonymous.read();
    expect(anonymous.server.asked[0]?.headers.authorization).toBeUndefined();
    const signed = await scene(s3, (_, response) => response.writeHead(206, head()).end(part), {
      type: 'aws',
      accessKeyId: new Secret('AKID'),
      secretAccessKey: new Secret('planted'),
      sessionToken: new Secret('session'),
      region: 'eu-central-1',
    });
    await signed.read();
    const { headers } = signed.server.asked[0] ?? { headers: {} as Asked['headers'] };
    expect(headers['authorization']).toMatch(/Credential=AKID\/\d+\/eu-central-1\/s3\/aws4_request/);
    expect(headers['x-amz-security-token']).toBe('session');
  });

  test('keys with empty or dot parts are listed under a name that leads back to them', async () => {
    const listing = (keys: readonly string[], prefixes: readonly string[]) =>
      `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>${keys
        .map(
          (key) =>
            `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1000</Size><ETag>"e"</ETag><LastModified>2009-02-13T23:31:30.250Z</LastModified></Contents>`,
        )
        .join(
          '',
        )}${prefixes.map((prefix) => `<CommonPrefixes><Prefix>${encodeURIComponent(prefix)}</Prefix></CommonPrefixes>`).join('')}</ListBucketResult>`;
    const { server, origin } = await scene(s3, (_, response) =>
      response.writeHead(200).end(listing(['..', 'a b+c', '\u0001', '%2E%2E'], ['/', '../', 'x/'])),
    );
    const entries = await listEntries(origin);
    expect(entries.map(({ name, kind }) => [name, kind]).sort()).toEqual([
      ['\u0001', 'file'],
      ['%', 'directory'],
      ['%252E%2E', 'file'],
      ['%2E%2E', 'directory'],
      ['%2E%2E', 'file'],
      ['a b+c', 'file'],
      ['x', 'directory'],
    ]);
    expect(entries[0]).toMatchObject({ mtimeNs: '1234567890000000000', etag: '"e"', sizeBytes: 1000 });
    server.say((_, response) => response.writeHead(200).end(listing(['a//', 'a//b'], [])));
    expect((await listEntries(origin, realPath('a/%'))).map(({ name }) => name)).toEqual(['b']); // not the marker
    expect(new URLSearchParams(server.asked.at(-1)?.path.split('?')[1]).get('prefix')).toBe('a//');
    server.say((_, response) => response.writeHead(206, head()).end(part));
    await readBytes(origin, 'a/%/%2E%2E', version, 1_000, 1_000);
    expect(server.asked.at(-1)?.path.split('?')[0]).toBe('/b/a//..');
  });

  test('a listing goes on by its tokens, and one that never ends is a failure', async () => {
    const page = (name: string, next: string | undefined) =>
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}<Contents><Key>${name}</Key><Size>1</Size></Contents><CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes></ListBucketResult>`;
    const tokenOf = ({ path }: Asked) => new URLSearchParams(path.split('?')[1]).get('continuation-token');
    const { server, origin } = await scene(s3, (asked, response) => {
      const token = tokenOf(asked);
      response
        .writeHead(200)
        .end(token === null ? page('a', 't+1') : token === 't+1' ? page('b', 't/2') : page('c', undefined));
    });
    expect((await listEntries(origin)).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(server.asked.map(tokenOf)).toEqual([null, 't+1', 't/2']);
    server.say((_, response) => response.writeHead(200).end(page('a', 'same')));
    expect(await codeOfCall(listEntries(origin))).toBe('origin_unavailable');
    server.say((_, response) =>
      response
        .writeHead(200)
        .end('<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'),
    );
    expect(await codeOfCall(listEntries(origin))).toBe('origin_unavailable');
  });

  test('a probe is one HeadBucket, and needs nothing else', async () => {
    const { server, origin } = await scene(s3, (_, response) => response.writeHead(200).end());
    await origin.probe(unbounded());
    expect(server.asked.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual(['HEAD /b/']);
  });

  test('an endpoint with user info, and credentials of another kind, are refused without quoting them', () => {
    const make = (endpoint: string, credentials: Credentials | null) => () =>
      new S3Origin({ id: 's3', bucket: 'b', endpoint, credentials });
    for (const endpoint of ['http://user:planted@nas/', 'nas:9000', '']) {
      expect(make(endpoint, null)).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.not.stringContaining('planted') }),
      );
    }
    expect(make('http://nas', webdavCredentials)).toThrow(
      expect.objectContaining({ code: 'config_invalid' }),
    );
  });

  test('the SDK is loaded with the first call, not before', () => {
    const module_ = new URL('../../../src/origins/s3-origin.ts', import.meta.url).pathname;
    const program = `
      const { registerHooks } = await import('node:module');
      let loaded = 0;
      registerHooks({ resolve: (name, context, next) => { if (name.includes('@aws-sdk')) loaded += 1; return next(name, context); } });
      const { S3Origin } = await import('${module_}');
      const origin = new S3Origin({ id: 's3', bucket: 'b', endpoint: 'http://127.0.0.1:1', credentials: null });
      const before = loaded;
      await origin.probe(new AbortController().signal).catch(() => undefined);
      console.log(before, loaded > 0);`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(said.trim()).toBe('0 true');
  });
});
