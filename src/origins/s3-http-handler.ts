// The SDK's requests over our connections: they are pooled, dialled anew when dead, and ended by the signal like those
// of the WebDAV origin. The path goes over the wire as the SDK signed it; nothing is normalised, as keys may hold "..".
import type { HttpClient } from './http-client.ts';

/** What of the SDK's request is needed here. https://smithy.io/2.0/spec/http-bindings.html */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

export class S3HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  private readonly http: HttpClient;

  constructor(http: HttpClient) {
    this.http = http;
  }

  async handle(request: SdkRequest, options: { abortSignal?: unknown } = {}) {
    const { protocol, hostname, port, path, query = {}, method, headers } = request;
    const signal =
      options.abortSignal instanceof AbortSignal ? options.abortSignal : new AbortController().signal;
    const search = queryText(query);
    const answer = await this.http.request(
      {
        isTls: protocol === 'https:',
        hostname,
        port,
        path: search === '' ? path : `${path}?${search}`,
        method,
        headers: { ...headers, 'accept-encoding': 'identity' },
      },
      signal,
    );
    return {
      response: {
        statusCode: answer.status,
        reason: undefined,
        headers: { ...answer.headers },
        body: answer.body,
      },
    };
  }

  /** Part of the SDK's interface; there is nothing of it to set. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {}
}

function queryText(query: NonNullable<SdkRequest['query']>): string {
  return Object.entries(query)
    .flatMap(([key, value]) => {
      if (value === null) return [escaped(key)];
      return (typeof value === 'string' ? [value] : value).map((one) => `${escaped(key)}=${escaped(one)}`);
    })
    .join('&');
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
