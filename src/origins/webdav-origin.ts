// A folder on a WebDAV server as an origin: PROPFIND to list, ranged GET to read. Knows the protocol; connections are
// http-client.ts's, what a listing means webdav-listing.ts's, whether bytes are what was asked for http-range.ts's.
//
// Redirects are followed on the same server only: elsewhere nobody said that we may show our credentials. A server that
// answers a range with the whole file is read from the start from then on, and `capabilities.range` says so. Links of
// the server's disk are the server's business: it shows what it follows as files and directories.
import { parentOf, type RealPath, realPath } from '../library/real-path.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import type { Credentials } from './credentials.ts';
import { HttpAuth } from './http-auth.ts';
import { type HttpAnswer, HttpClient } from './http-client.ts';
import { bytesToSkip, exactly, isWeak, rangeHeader, type WantedRange } from './http-range.ts';
import type { FileVersion, IsWanted, Origin, OriginCapabilities, OriginEntry } from './origin.ts';
import { refuseBadPath, refuseBadRange } from './refuse-path.ts';
import type { HostResolver } from './resolve-host.ts';
import { retryAfterMs } from './retry-after.ts';
import { encodedPath, type Listing, listingOf, propertiesWanted } from './webdav-listing.ts';

export interface WebdavOptions {
  readonly id: string;
  /** http: or https:, without user info. */
  readonly url: string;
  /** PEM file of authorities trusted beside the usual ones. */
  readonly caFile?: string;
  readonly credentials: Credentials | null;
  readonly resolver?: HostResolver;
}

export class WebdavOrigin implements Origin {
  readonly id: string;
  readonly kind = 'webdav';
  readonly displayName: string;
  private readonly base: URL;
  /** Path of the root in the URL as it is written, without "/" at its end; the same as bytes. */
  private readonly rootPath: string;
  private readonly rootBytes: string;
  private readonly http: HttpClient;
  private readonly auth: HttpAuth;
  private hasRanges = true;
  private hasEtags = true;

  /** Throws `config_invalid` on a URL that is none. Connects to nothing. */
  constructor(options: WebdavOptions) {
    this.id = options.id;
    this.base = webUrl(options.url);
    this.rootPath = this.base.pathname.replace(/\/+$/, '');
    this.rootBytes = decodedBytes(this.rootPath);
    this.displayName = `webdav ${this.base.origin}${this.base.pathname}`;
    const { resolver } = options;
    this.http = new HttpClient({
      place: `webdav origin ${this.id}`,
      caFile: options.caFile,
      ...(resolver === undefined ? {} : { resolver }),
    });
    this.auth = new HttpAuth(options.credentials);
  }

  get capabilities(): OriginCapabilities {
    return {
      range: this.hasRanges,
      etag: this.hasEtags,
      mtimeNs: false,
      dirMtime: false,
      caseSensitive: true,
    };
  }

  /** Requests that have not ended. */
  get underWay(): number {
    return this.http.underWay;
  }

  async *list(directory: RealPath, isWanted: IsWanted, signal: AbortSignal): AsyncGenerator<OriginEntry[]> {
    refuseBadPath(directory);
    const { self, entries } = await this.properties(directory, 1, signal);
    if (self?.kind !== 'directory') throw this.notFound();
    const wanted = entries.filter((entry) => entry.kind === 'directory' || isWanted(entry.name));
    for (let at = 0; at < wanted.length; at += limits.listingPageEntries) {
      signal.throwIfAborted();
      yield wanted.slice(at, at + limits.listingPageEntries);
    }
  }

  async stat(path: RealPath, signal: AbortSignal): Promise<OriginEntry> {
    refuseBadPath(path);
    const { self } = await this.properties(path, 0, signal);
    if (self === undefined) throw this.notFound();
    return path === '' ? { ...self, name: '' } : self;
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
    const wanted: WantedRange = { version, offset, end };
    const answer = await this.ask('GET', this.urlPath(path), this.readHeaders(wanted), undefined, signal);
    try {
      if (answer.status !== 200 && answer.status !== 206) throw this.refusal(answer);
      const skip = bytesToSkip(answer, wanted);
      const isWhole = answer.status === 200;
      if (isWhole && (offset > 0 || end < version.sizeBytes)) this.hasRanges = false;
      const isRest = !isWhole || end === version.sizeBytes;
      yield* exactly(this.http.bytesOf(answer, signal), skip, end - offset, isRest);
    } finally {
      answer.body.destroy(); // read to its end it has gone back to the pool, and this does nothing
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    // A name that has just stopped resolving must show, although kept connections go on.
    await this.http.resolver.resolveNow(this.base.hostname, signal);
    // Not OPTIONS: many servers answer that to anybody, and a wrong password would not show.
    await this.stat(realPath(''), signal);
  }

  async close(): Promise<void> {
    this.http.close();
  }

  private readHeaders(wanted: WantedRange): Record<string, string> {
    const { etag } = wanted.version;
    return {
      'accept-encoding': 'identity',
      ...(this.hasRanges ? { range: rangeHeader(wanted) } : {}),
      // A weak etag never matches by If-Match; it is compared when the answer is there.
      ...(etag === null || isWeak(etag) ? {} : { 'if-match': etag }),
    };
  }

  private async properties(path: RealPath, depth: 0 | 1, signal: AbortSignal): Promise<Listing> {
    // Directories end with "/": without it some servers redirect.
    const url = this.urlPath(path) + (depth === 1 && path !== '' ? '/' : '');
    const headers = { depth: String(depth), 'content-type': 'application/xml; charset=utf-8' };
    const answer = await this.ask('PROPFIND', url, headers, propertiesWanted, signal);
    if (answer.status !== 207) {
      await this.http.discard(answer, signal);
      if (answer.status === 400 && (await this.isBelowFile(path, signal))) throw this.notFound();
      throw this.refusal(answer);
    }
    const text = await this.http.wholeOf(answer, limits.webdavListingBytes, signal);
    const full = path === '' ? this.rootBytes : `${this.rootBytes}/${path}`;
    const listing = listingOf(text.toString('utf8'), full);
    if (listing.entries.some((entry) => entry.kind === 'file' && entry.etag === null)) this.hasEtags = false;
    return listing;
  }

  /**
   * Apache answers 400 about what lies "below" a file. As other mistakes do so too, and a file that merely seems gone would
   * be taken out of the library, the file must show itself.
   */
  private async isBelowFile(path: RealPath, signal: AbortSignal): Promise<boolean> {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const headers = { depth: '0', 'content-type': 'application/xml; charset=utf-8' };
      const answer = await this.ask('PROPFIND', this.urlPath(at), headers, propertiesWanted, signal);
      const text = await this.http.wholeOf(answer, limits.webdavListingBytes, signal);
      if (answer.status === 207) {
        return listingOf(text.toString('utf8'), `${this.rootBytes}/${at}`).self?.kind === 'file';
      }
      if (answer.status !== 400) return false;
    }
    return false;
  }

  /** Sends a request, with who we are if the server wants to know, and follows redirects within it. */
  private async ask(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    let at = path;
    let redirects = 0;
    for (let hasLearned = false; ; ) {
      const authorization = this.auth.header(method, at);
      const answer = await this.send(
        method,
        at,
        { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        body,
        signal,
      );
      if (
        answer.status === 401 &&
        !hasLearned &&
        this.auth.learn(answer.headers['www-authenticate'], authorization)
      ) {
        hasLearned = true;
      } else if ([301, 302, 307, 308].includes(answer.status) && answer.headers['location'] !== undefined) {
        const target = this.redirected(at, answer.headers['location']);
        redirects += 1;
        if (target === undefined || redirects > limits.httpRedirects) {
          answer.body.destroy();
          throw this.http.unavailable(
            target === undefined ? 'it redirects to another server' : 'it redirects in a circle',
          );
        }
        at = target;
      } else return answer;
      await this.http.discard(answer, signal);
    }
  }

  private send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { hostname, port, protocol } = this.base;
    return this.http.request(
      {
        isTls: protocol === 'https:',
        hostname,
        port: port === '' ? undefined : Number(port),
        path,
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      },
      signal,
    );
  }

  /** The path a redirect leads to, or undefined when it is on another server. */
  private redirected(from: string, location: string): string | undefined {
    if (!URL.canParse(location, `${this.base.origin}${from}`)) return undefined;
    const target = new URL(location, `${this.base.origin}${from}`);
    return target.origin === this.base.origin ? target.pathname + target.search : undefined;
  }

  private urlPath(path: RealPath): string {
    return path === '' ? `${this.rootPath}/` : `${this.rootPath}/${encodedPath(path)}`;
  }

  /** What a status other than success means. Never quotes the answer. */
  private refusal({ status, headers }: HttpAnswer): MusicfsError {
    const say = (code: MusicfsError['code'], what: string) =>
      new MusicfsError(code, `${this.http.place}: ${what} (status ${status})`);
    switch (status) {
      case 401:
        return say('permission_denied', 'the server does not accept the credentials');
      case 403:
        return say('permission_denied', 'the server refuses');
      case 404:
      case 410:
        return this.notFound();
      case 409: // a path below something that is no collection
        return this.notFound();
      case 412:
      case 416: // the range lies behind the end: the file is shorter than its version
        return say('version_gone', 'the file is another version now');
      case 429:
      case 503: {
        const after = retryAfterMs(headers['retry-after'], Date.now());
        if (status === 503 && after === undefined)
          return say('origin_unavailable', 'the server is overloaded');
        return new MusicfsError('origin_rate_limited', `${this.http.place}: the server asks for a pause`, {
          ...(after === undefined ? {} : { retryAfterMs: after }),
        });
      }
      default:
        return say('origin_unavailable', 'the server answered with something else');
    }
  }

  private notFound(): MusicfsError {
    return new MusicfsError('not_found', `${this.http.place}: no such entry`);
  }
}

function webUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new MusicfsError('config_invalid', 'url of a webdav origin: must begin with http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw new MusicfsError(
      'config_invalid',
      'url of a webdav origin: no user name or password in it; use credentials',
    );
  url.search = '';
  url.hash = '';
  return url;
}

function decodedBytes(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
