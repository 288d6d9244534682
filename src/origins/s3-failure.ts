// What a failure of the S3 SDK means, by status and code. Nothing of the answer is quoted but its code: stores repeat
// key ids and signed texts in their error documents. Pure.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import { type ErrorCode, MusicfsError } from '../platform/errors.ts';
import { retryAfterMs } from './retry-after.ts';

interface Failed {
  readonly status: number | undefined;
  /** "NoSuchKey" and the like. */
  readonly name: string;
  readonly retryAfter: string | undefined;
}

const pauseNames = [
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
];
const identityNames = [
  'ExpiredToken',
  'InvalidToken',
  'TokenRefreshRequired',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AuthorizationHeaderMalformed',
];

/** The failure as ours. `about`: a bucket that is not there is a dead origin, not a file that is gone. */
export function failureOf(error: unknown, place: string, about: 'bucket' | 'object'): MusicfsError {
  if (error instanceof MusicfsError) return error;
  const failed = failedIn(error);
  const { code, what } = meaningOf(failed, about);
  const status = failed.status === undefined ? '' : `status ${failed.status}, `;
  const after = code === 'origin_rate_limited' ? retryAfterMs(failed.retryAfter, Date.now()) : undefined;
  return new MusicfsError(code, `${place}: ${what} (${status}${failed.name})`, {
    ...(after === undefined ? {} : { retryAfterMs: after }),
  });
}

function meaningOf(
  { status, name, retryAfter }: Failed,
  about: 'bucket' | 'object',
): { code: ErrorCode; what: string } {
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return { code: 'permission_denied', what: 'no credentials were found' };
  if (name === 'InvalidObjectState') return { code: 'unsupported_operation', what: 'the object is archived' };
  if (name === 'NoSuchBucket' || (status === 404 && about === 'bucket'))
    return { code: 'origin_unavailable', what: 'there is no such bucket' };
  if (identityNames.includes(name))
    return { code: 'permission_denied', what: 'the credentials are not accepted' };
  if (name === 'RequestTimeTooSkewed')
    return { code: 'origin_unavailable', what: 'the clocks differ too much' };
  if (status === 429 || pauseNames.includes(name) || (status === 503 && retryAfter !== undefined))
    return { code: 'origin_rate_limited', what: 'the store asks for a pause' };
  switch (status) {
    case 401:
    case 403:
      return { code: 'permission_denied', what: 'access is denied' };
    case 404:
      return { code: 'not_found', what: 'no such entry' };
    case 412:
    case 416: // the range lies behind the end: the object is shorter than its version
      return { code: 'version_gone', what: 'the object is another version now' };
    case 301:
    case 307:
    case 308:
      return { code: 'origin_unavailable', what: 'the bucket is in another region' };
    default:
      return { code: 'origin_unavailable', what: 'the store did not answer as it should' };
  }
}

function failedIn(error: unknown): Failed {
  const object = (value: unknown) =>
    (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { name, $metadata, $response } = object(error);
  const status = object($metadata)['httpStatusCode'];
  const retryAfter = object(object($response)['headers'])['retry-after'];
  return {
    status: typeof status === 'number' ? status : undefined,
    name: typeof name === 'string' && /^[A-Za-z0-9]{1,64}$/.test(name) ? name : 'unknown',
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
  };
}
