// A bucket, or what lies below a prefix in it, as an origin: on AWS or on anything that speaks S3. The SDK signs, asks
// and parses; connections are http-client.ts's, whether bytes are what was asked for is http-range.ts's business.
//
// The SDK is large and loaded with the first call. It retries nothing: that is the caller's decision. No HEAD comes
// before a read: the ranged GET carries the etag, and its answer is checked. An etag is an opaque version, no hash.
import type { GetObjectCommandOutput, HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { RealPath } from '../library/real-path.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { Credentials } from './credentials.ts';
import { HttpClient } from './http-client.ts';
import { bytesToSkip, exactly, rangeHeader } from './http-range.ts';
import type { FileVersion, IsWanted, Origin, OriginCapabilities, OriginEntry } from './origin.ts';
import { refuseBadPath, refuseBadRange } from './refuse-path.ts';
import type { HostResolver } from './resolve-host.ts';
import { failureOf } from './s3-failure.ts';
import { S3HttpHandler } from './s3-http-handler.ts';
import { keyOfPath, nameOfPart, normalPrefix } from './s3-key.ts';

export interface S3Options {
  readonly id: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly region?: string;
  /** http: or https:, without user info; AWS when not given. */
  readonly endpoint?: string;
  /** Bucket in the path instead of the host name; on when an endpoint is given. */
  readonly pathStyle?: boolean;
  /** null: anonymous. */
  readonly credentials: Credentials | null;
  readonly resolver?: HostResolver;
}

type Sdk = typeof import('@aws-sdk/client-s3');
interface Connected {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

export class S3Origin implements Origin {
  readonly id: string;
  readonly kind = 's3';
  readonly displayName: string;
  readonly capabilities: OriginCapabilities = {
    range: true,
    etag: true,
    mtimeNs: false,
    dirMtime: false,
    caseSensitive: true,
  };
  private readonly options: S3Options;
  private readonly prefix: string;
  private readonly region: string;
  private readonly http: HttpClient;
  private connecting: Promise<Connected> | undefined;
  private isClosed = false;

  /** Throws `config_invalid` on an endpoint that is none, or on credentials of another kind. Connects to nothing. */
  constructor(options: S3Options) {
    const { credentials, endpoint, bucket, resolver } = options;
    this.id = options.id;
    if (endpoint !== undefined) refuseBadEndpoint(endpoint);
    if (credentials !== null && credentials.type !== 'aws' && credentials.type !== 'aws-default')
      throw new MusicfsError('config_invalid', `s3 origin ${this.id}: needs credentials of kind aws`);
    this.options = options;
    this.prefix = normalPrefix(options.prefix);
    this.region = options.region ?? (credentials?.type === 'aws' ? credentials.region : null) ?? 'us-east-1';
    const below = this.prefix === '' ? '' : `, prefix ${this.prefix}`;
    this.displayName = `s3 bucket ${bucket}${below} at ${endpoint === undefined ? this.region : new URL(endpoint).origin}`;
    this.http = new HttpClient({
      place: `s3 origin ${this.id}`,
      ...(resolver === undefined ? {} : { resolver }),
    });
  }

  /** Requests that have not ended. */
  get underWay(): number {
    return this.http.underWay;
  }

  async *list(directory: RealPath, isWanted: IsWanted, signal: AbortSignal): AsyncGenerator<OriginEntry[]> {
    refuseBadPath(directory);
    const key = keyOfPath(directory);
    if (key === undefined) return;
    const prefix = key === '' ? this.prefix : `${this.prefix}${key}/`;
    const directories = new Set<string>();
    let token: string | undefined;
    do {
      const page = await this.listPage(prefix, limits.listingPageEntries, token, signal);
      const entries: OriginEntry[] = [];
      for (const name of page.directories) {
        // Some servers name a directory again on the next page.
        if (!directories.has(name))
          entries.push({ name, kind: 'directory', sizeBytes: 0, mtimeNs: '0', etag: null });
        directories.add(name);
      }
      for (const file of page.files) if (isWanted(file.name)) entries.push(file);
      if (entries.length > 0) yield entries;
      if (page.next !== undefined && page.next === token)
        throw this.http.unavailable('a listing without end');
      token = page.next;
    } while (token !== undefined);
  }

  async stat(path: RealPath, signal: AbortSignal): Promise<OriginEntry> {
    refuseBadPath(path);
    const key = keyOfPath(path);
    if (key === undefined) throw this.notFound();
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (key !== '') {
      const head = await this.head(this.prefix + key, signal);
      if (head !== undefined) {
        if (head.ContentLength === undefined) throw this.http.unavailable('a file without length');
        return fileEntry(name, head.ContentLength, head.LastModified, head.ETag);
      }
    }
    const page = await this.listPage(
      key === '' ? this.prefix : `${this.prefix}${key}/`,
      1,
      undefined,
      signal,
    );
    if (key !== '' && page.isEmpty) throw this.notFound();
    return { name, kind: 'directory', sizeBytes: 0, mtimeNs: '0', etag: null };
  }

  async *readRange(
    path: RealPath,
    version: FileVersion,
    offset: number,
    lengthBytes: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    refuseBadPath(path);
    refuseBadRange(offset, lengthBytes);
    const end = Math.min(offset + lengthBytes, version.sizeBytes);
    if (offset >= end) {
      signal.throwIfAborted();
      return;
    }
    const key = keyOfPath(path);
    if (key === undefined) throw this.notFound();
    const wanted = { version, offset, end };
    const answer = await this.get(this.prefix + key, rangeHeader(wanted), version.etag, signal);
    const { Body: body } = answer;
    if (body === undefined) throw this.http.unavailable('an answer without a body');
    const answerBody = body as unknown as Awaited<ReturnType<HttpClient['request']>>['body'];
    try {
      const skip = bytesToSkip(headOf(answer), wanted, storedEncodings);
      // An object store answers a range with a range; the whole of a large object is a lie that would cost its length.
      if (skip > 0) throw this.http.unavailable('the whole object instead of a range');
      const bytes = this.http.bytesOf({ status: 206, headers: {}, body: answerBody }, signal);
      yield* exactly(bytes, 0, end - offset, true);
    } finally {
      answerBody.destroy();
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    // A name that has just stopped resolving must show, although kept connections go on.
    const { endpoint } = this.options;
    if (endpoint !== undefined) await this.http.resolver.resolveNow(new URL(endpoint).hostname, signal);
    await this.call(
      ({ sdk, client }, abortSignal) =>
        client.send(new sdk.HeadBucketCommand({ Bucket: this.options.bucket }), { abortSignal }),
      signal,
      'bucket',
    );
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.http.close();
    const connected = await this.connecting?.catch(() => undefined);
    connected?.client.destroy();
  }

  private get(
    key: string,
    range: string,
    etag: string | null,
    signal: AbortSignal,
  ): Promise<GetObjectCommandOutput> {
    const input = {
      Bucket: this.options.bucket,
      Key: key,
      Range: range,
      ...(etag === null ? {} : { IfMatch: etag }),
    };
    return this.call(
      ({ sdk, client }, abortSignal) => client.send(new sdk.GetObjectCommand(input), { abortSignal }),
      signal,
      'object',
    );
  }

  /** undefined when there is no such object. */
  private async head(key: string, signal: AbortSignal): Promise<HeadObjectCommandOutput | undefined> {
    try {
      return await this.call(
        ({ sdk, client }, abortSignal) =>
          client.send(new sdk.HeadObjectCommand({ Bucket: this.options.bucket, Key: key }), { abortSignal }),
        signal,
        'object',
      );
    } catch (error) {
      if (error instanceof MusicfsError && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  private async listPage(prefix: string, maxKeys: number, token: string | undefined, signal: AbortSignal) {
    const page = await this.call(
      ({ sdk, client }, abortSignal) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: this.options.bucket,
            Prefix: prefix,
            Delimiter: '/',
            MaxKeys: maxKeys,
            EncodingType: 'url', // a key may have characters that XML cannot
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          { abortSignal },
        ),
      signal,
      'bucket',
    );
    // An empty answer or a page parses as well, and would make every file seem gone.
    if (page.IsTruncated === undefined) throw this.http.unavailable('something that is no listing');
    // Servers that know no encoding do not say that they used one.
    const decoded = (text: string) =>
      page.EncodingType === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
    const nameBelow = (key: string) =>
      key.startsWith(prefix) ? nameOfPart(key.slice(prefix.length)) : undefined;
    const directories = (page.CommonPrefixes ?? []).flatMap(({ Prefix = '' }) => {
      return nameBelow(decoded(Prefix).replace(/\/$/, '')) ?? [];
    });
    const contents = page.Contents ?? [];
    const files = contents.flatMap(({ Key = '', Size, LastModified, ETag }) => {
      const key = decoded(Key);
      if (key === prefix) return []; // the marker of the directory itself
      const name = nameBelow(key);
      return name === undefined ? [] : [fileEntry(name, Size ?? 0, LastModified, ETag)];
    });
    const next = page.IsTruncated ? page.NextContinuationToken : undefined;
    if (page.IsTruncated && next === undefined) throw this.http.unavailable('a listing that breaks off');
    return { directories, files, next, isEmpty: contents.length === 0 && directories.length === 0 };
  }

  private async call<T>(
    send: (connected: Connected, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    about: 'bucket' | 'object',
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.isClosed) throw this.http.unavailable('this origin is closed');
    this.connecting ??= this.connect();
    const connected = await this.connecting;
    try {
      return await send(connected, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(error, this.http.place, about);
    }
  }

  private async connect(): Promise<Connected> {
    const sdk = await import('@aws-sdk/client-s3');
    const { credentials, endpoint, pathStyle } = this.options;
    const client = new sdk.S3Client({
      region: this.region,
      maxAttempts: 1,
      requestHandler: new S3HttpHandler(this.http),
      forcePathStyle: pathStyle ?? endpoint !== undefined,
      // Sums over whole objects say nothing about ranges.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === null ? anonymous : {}),
      ...(credentials?.type === 'aws' ? { credentials: async () => identityOf(credentials) } : {}),
    });
    return { sdk, client };
  }

  private notFound(): MusicfsError {
    return new MusicfsError('not_found', `${this.http.place}: no such entry`);
  }
}

/** What some clients leave in an object's description; its bytes are stored plainly all the same. */
const storedEncodings = ['aws-chunked'];

const anonymous = {
  credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  signer: { sign: async <T>(request: T): Promise<T> => request },
};

function identityOf({ accessKeyId, secretAccessKey, sessionToken }: Extract<Credentials, { type: 'aws' }>) {
  return {
    accessKeyId: accessKeyId.reveal(),
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === null ? {} : { sessionToken: sessionToken.reveal() }),
  };
}

/** Times to the second: some answers have no more. */
function fileEntry(
  name: string,
  sizeBytes: number,
  modified: Date | undefined,
  etag: string | undefined,
): OriginEntry {
  const seconds = modified === undefined ? 0 : Math.floor(modified.getTime() / 1_000);
  const mtimeNs = seconds <= 0 ? '0' : String(BigInt(seconds) * 1_000_000_000n);
  return { name, kind: 'file', sizeBytes, mtimeNs, etag: etag ?? null };
}

/** The head of an answer as it came over the wire, which the SDK gives in parts. */
function headOf(answer: GetObjectCommandOutput) {
  const { ContentRange, ContentLength, ContentEncoding, ETag, LastModified } = answer;
  const headers: Record<string, string> = {};
  if (ContentRange !== undefined) headers['content-range'] = ContentRange;
  if (ContentLength !== undefined) headers['content-length'] = String(ContentLength);
  if (ContentEncoding !== undefined) headers['content-encoding'] = ContentEncoding;
  if (ETag !== undefined) headers['etag'] = ETag;
  if (LastModified !== undefined) headers['last-modified'] = LastModified.toUTCString();
  return { status: answer.$metadata.httpStatusCode ?? 0, headers };
}

function refuseBadEndpoint(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new MusicfsError('config_invalid', 'endpoint of an s3 origin: must begin with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw new MusicfsError(
      'config_invalid',
      'endpoint of an s3 origin: no user name or password in it; use credentials',
    );
}
