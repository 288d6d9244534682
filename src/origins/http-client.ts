// Requests over HTTP/1.1 for origins: a bounded pool of connections to one place, kept while idle, and answers that end
// in time. Used by the S3 and the WebDAV origin, which know what to ask and what an answer means.
//
// It never retries, but for one case: a kept connection that turns out to be dead before it has answered is dialled
// anew, once. It has no deadline but that of a connection being made; the caller's signal ends everything else. It
// follows no redirect, decodes no encoding, and takes no proxy from the environment.

import { readFileSync } from 'node:fs';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { inspect } from 'node:util';
import { errnoOf, MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';
import { HostResolver } from './resolve-host.ts';

export interface HttpRequest {
  readonly isTls: boolean;
  readonly hostname: string;
  readonly port: number | undefined;
  /** Path and query as they go over the wire; nothing is normalised. */
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of a header that came twice, both, joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or destroyed; the signal of the request ends it too. */
  readonly body: IncomingMessage;
}

export interface HttpClientOptions {
  /** How messages name the other side. */
  readonly place: string;
  /** PEM file of authorities that are trusted beside the usual ones. */
  readonly caFile?: string | undefined;
  readonly resolver?: HostResolver;
}

/** A kept connection had died before anything came back: nothing is known to be wrong with the origin. */
class DeadConnection extends Error {}

export class HttpClient {
  readonly place: string;
  readonly resolver: HostResolver;
  private readonly caFile: string | undefined;
  private agents: { readonly plain: http.Agent; readonly tls: https.Agent } | undefined;
  /** Requests and answers that have not ended. */
  /** Requests that are not over, and what ends each. */
  private readonly open = new Map<ClientRequest, (why: Error) => void>();
  private isClosed = false;

  constructor(options: HttpClientOptions) {
    this.place = options.place;
    this.caFile = options.caFile;
    this.resolver = options.resolver ?? new HostResolver();
  }

  /** Somewhere inside are requests as they went out, with what proves who we are: none of it is for a log. */
  toJSON(): string {
    return `connections to ${this.place}`;
  }

  [inspect.custom](): string {
    return `connections to ${this.place}`;
  }

  /** Requests whose answer has not been read to its end. */
  get underWay(): number {
    return this.open.size;
  }

  /**
   * Resolves with the head of the answer, whatever its status. Rejects with `origin_unavailable` or `name_resolution`,
   * or with the signal's reason.
   */
  async request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    if (this.isClosed) throw this.closedError();
    try {
      return await this.dial(request, signal);
    } catch (error) {
      if (!(error instanceof DeadConnection)) throw error;
      this.dropIdle();
      try {
        return await this.dial(request, signal);
      } catch (again) {
        throw again instanceof DeadConnection ? this.failure(again.cause) : again;
      }
    }
  }

  /** The bytes of an answer. Ends the transfer when it is left early. Rejects like `request`. */
  async *bytesOf(answer: HttpAnswer, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of answer.body) yield chunk as Uint8Array;
    } catch (error) {
      signal.throwIfAborted();
      throw this.failure(error);
    }
  }

  /** An answer of at most that size as a whole. A larger one is a failure. */
  async wholeOf(answer: HttpAnswer, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.bytesOf(answer, signal)) {
      size += chunk.length;
      if (size > maxBytes) throw this.unavailable(`an answer of more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Reads what little an answer still has, so that its connection can be kept; a longer one costs the connection. */
  async discard(answer: HttpAnswer, signal: AbortSignal): Promise<void> {
    try {
      await this.wholeOf(answer, limits.httpDiscardBytes, signal);
    } catch {
      signal.throwIfAborted(); // otherwise: what it says was not wanted anyway
    }
  }

  close(): void {
    this.isClosed = true;
    for (const end of this.open.values()) end(this.closedError());
    this.open.clear();
    this.agents?.plain.destroy();
    this.agents?.tls.destroy();
  }

  unavailable(what: string, cause?: unknown): MusicfsError {
    return new MusicfsError('origin_unavailable', `${this.place}: ${what}`, { cause });
  }

  private dial(wanted: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const request = this.start(wanted);
      let body: IncomingMessage | null = null;
      // Once its body was read to the end a request has no say over its connection any more, on which nobody listens for
      // errors in the moment until the pool has it back.
      const end = (why: Error) => (body ?? request).destroy(why);
      this.open.set(request, end);
      const abort = () => end(asError(signal.reason));
      signal.addEventListener('abort', abort, { once: true });
      const patience = setTimeout(
        () => request.destroy(this.unavailable('no connection')),
        limits.httpConnectMs,
      );
      request.once('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => clearTimeout(patience));
        else clearTimeout(patience);
      });
      request.once('close', () => {
        clearTimeout(patience);
        signal.removeEventListener('abort', abort);
        this.open.delete(request);
      });
      request.once('response', (answer) => {
        body = answer;
        // What ends the request from now on must reach whoever reads the body.
        request.on('error', (error) => answer.destroy(error));
        answer.on('error', () => undefined); // told to the reader; there may be none any more
        resolve({ status: answer.statusCode ?? 0, headers: flat(answer), body: answer });
      });
      request.once('error', (error) => {
        if (signal.aborted) reject(signal.reason);
        else if (request.reusedSocket && isDead(error)) reject(new DeadConnection('', { cause: error }));
        else reject(this.failure(error));
      });
      request.end(wanted.body);
    });
  }

  private start({ isTls, hostname, port, path, method, headers }: HttpRequest): ClientRequest {
    const agents = this.connected();
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const options = { host, port, path, method, headers };
    return isTls
      ? https.request({ ...options, agent: agents.tls })
      : http.request({ ...options, agent: agents.plain });
  }

  private connected(): { readonly plain: http.Agent; readonly tls: https.Agent } {
    if (this.agents !== undefined) return this.agents;
    const options = {
      keepAlive: true,
      maxSockets: limits.httpConnections,
      maxFreeSockets: limits.httpConnections,
      timeout: limits.httpIdleMs,
      lookup: this.resolver.lookup,
    };
    this.agents = {
      plain: new http.Agent(options),
      tls: new https.Agent({
        ...options,
        ...(this.caFile === undefined ? {} : { ca: this.authorities(this.caFile) }),
      }),
    };
    return this.agents;
  }

  private authorities(caFile: string): string[] {
    try {
      return [...rootCertificates, readFileSync(caFile, 'utf8')];
    } catch (error) {
      throw this.unavailable(`the CA file cannot be read (${errnoOf(error) ?? 'unknown error'})`);
    }
  }

  /** The other idle connections are as old as the dead one. */
  private dropIdle(): void {
    for (const agent of [this.agents?.plain, this.agents?.tls]) {
      for (const sockets of Object.values(agent?.freeSockets ?? {})) {
        for (const socket of sockets ?? []) socket.destroy();
      }
    }
  }

  /** What a failed connection means. Names the code only: what comes from outside may repeat what we sent. */
  private failure(error: unknown): MusicfsError {
    if (error instanceof MusicfsError) return error;
    const code = codeText(error);
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      return new MusicfsError('name_resolution', `${this.place}: its name has no address now`);
    const cause = errnoOf(error) === undefined ? undefined : error;
    return this.unavailable(
      code === undefined ? 'the connection failed' : `the connection failed (${code})`,
      cause,
    );
  }

  private closedError(): MusicfsError {
    return this.unavailable('this origin is closed');
  }
}

function isDead(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(errnoOf(error) ?? '');
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('aborted', 'AbortError');
}

function codeText(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : undefined;
}

function flat(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(message.headersDistinct))
    headers[name] = (values ?? []).join(', ');
  return headers;
}
