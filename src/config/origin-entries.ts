// Origins as people write them, in the configuration file and after --origin, and the settings they become.
import path from 'node:path';
import * as v from 'valibot';
import { MusicfsError } from '../platform/errors.ts';
import { type OriginSettings, originDefaults } from '../platform/origin-settings.ts';
import { bandwidthHint, parseBandwidth } from './bandwidth.ts';

const common = {
  id: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,32}$/, 'an id is 1 to 32 of a-z, 0-9 and -'))),
  priority: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  cache: v.optional(v.picklist(['auto', 'always', 'never'])),
  concurrency: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64))),
  bandwidth: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => parseBandwidth(text) !== null, bandwidthHint),
    ),
  ),
  requests_per_s: v.optional(v.pipe(v.number(), v.minValue(0))),
  credentials: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+|systemd:[^/]+|aws-default)$/,
        'credentials are a reference: "env:PREFIX", "file:/path", "systemd:name" or "aws-default"; secrets are never written here',
      ),
    ),
  ),
};

const withoutSecrets = (what: string) =>
  v.check((text: string) => !/^[a-z0-9+]+:\/\/[^/]*@/i.test(text), noSecrets(what));

function noSecrets(what: string): string {
  return `${what} holds no password: use credentials`;
}

const mounted = v.strictObject({
  ...common,
  kind: v.optional(v.picklist(['local', 'nfs', 'smb']), 'local'),
  path: v.string(),
  symlinks: v.optional(
    v.pipe(
      v.picklist(['inside', 'none', 'all']),
      v.check(
        (policy) => policy !== 'all',
        '"all" is not supported yet: make what the link leads to an origin of its own',
      ),
      v.transform((policy) => (policy === 'none' ? 'none' : 'inside')),
    ),
  ),
});
const sftp = v.strictObject({
  ...common,
  kind: v.literal('sftp'),
  host: v.pipe(v.string(), v.regex(/^[^\s/@:]+$|^[0-9a-f:]+$/i, 'a host is a name or an address')),
  port: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535)), 22),
  user: v.optional(v.string()),
  path: v.optional(v.string(), '.'),
  host_key: v.optional(v.picklist(['strict', 'accept-new']), 'strict'),
  known_hosts: v.optional(v.string()),
});
const s3 = v.strictObject({
  ...common,
  kind: v.literal('s3'),
  bucket: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,255}$/, 'that is no name of a bucket')),
  prefix: v.optional(v.string(), ''),
  region: v.optional(v.string(), 'us-east-1'),
  endpoint: v.optional(v.pipe(v.string(), v.url('an endpoint is a URL'), withoutSecrets('an endpoint'))),
  path_style: v.optional(v.boolean()),
});
const webdav = v.strictObject({
  ...common,
  kind: v.literal('webdav'),
  url: v.pipe(
    v.string(),
    v.url('a URL is needed'),
    v.regex(/^https?:/, 'a URL of http or https is needed'),
    withoutSecrets('a URL'),
  ),
  ca_file: v.optional(v.string()),
});

export const originEntry = v.variant('kind', [mounted, sftp, s3, webdav]);
export type OriginConfig = v.InferOutput<typeof originEntry>;

/** The entry with the paths in it made absolute, those below `here`. */
export function withAbsolutePaths(entry: OriginConfig, here: string): OriginConfig {
  switch (entry.kind) {
    case 'local':
    case 'nfs':
    case 'smb':
      return { ...entry, path: path.resolve(here, entry.path) };
    case 'sftp':
      return entry.known_hosts === undefined
        ? entry
        : { ...entry, known_hosts: path.resolve(here, entry.known_hosts) };
    case 'webdav':
      return entry.ca_file === undefined ? entry : { ...entry, ca_file: path.resolve(here, entry.ca_file) };
    case 's3':
      return entry;
  }
}

/** The settings of an entry whose paths are absolute. Its id is given by the caller. */
export function settingsOf(entry: OriginConfig, id: string): OriginSettings {
  const shared = {
    id,
    priority: entry.priority ?? originDefaults.priority,
    cache: entry.cache ?? originDefaults.cache,
    concurrency: entry.concurrency ?? originDefaults.concurrency,
    requestsPerSecond: entry.requests_per_s ?? originDefaults.requestsPerSecond,
    bandwidth:
      (entry.bandwidth === undefined ? null : parseBandwidth(entry.bandwidth)) ?? originDefaults.bandwidth,
    credentials: entry.credentials ?? originDefaults.credentials,
  };
  switch (entry.kind) {
    case 'local':
    case 'nfs':
    case 'smb':
      return {
        ...shared,
        ...{ kind: entry.kind, root: path.resolve(entry.path), symlinks: entry.symlinks ?? 'inside' },
      };
    case 'sftp': {
      const { host, port, user = null } = entry;
      const at = `${host.includes(':') ? `[${host}]` : host}${port === 22 ? '' : `:${port}`}`;
      return {
        ...shared,
        ...{ kind: 'sftp', host, port, user, path: entry.path, hostKey: entry.host_key },
        knownHosts: entry.known_hosts ?? null,
        root: `sftp://${at}/${entry.path.replace(/^\//, '')}`,
      };
    }
    case 's3': {
      const { bucket, region, endpoint = null } = entry;
      const prefix = entry.prefix.replace(/^\/+|\/+$/g, '');
      return {
        ...shared,
        ...{ kind: 's3', bucket, prefix, region, endpoint },
        // Whoever names a server of their own rarely has a name for each bucket.
        pathStyle: entry.path_style ?? endpoint !== null,
        root: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint === null ? '' : ` at ${endpoint}`}`,
      };
    }
    case 'webdav':
      return {
        ...shared,
        ...{ kind: 'webdav', url: entry.url, caFile: entry.ca_file ?? null, root: entry.url },
      };
  }
}

/** `PATH`, or `KIND:TARGET`: `local:PATH`, `nfs:PATH`, `smb:PATH`, `sftp://USER@HOST:PORT/PATH`, `s3://BUCKET/PREFIX`, `webdav:URL`. */
export function parseOriginArgument(text: string): OriginConfig {
  const raw = entryFrom(text);
  const parsed = v.safeParse(originEntry, raw);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new MusicfsError('invalid_argument', `--origin ${withoutUserInfo(text)}: ${issue.message}`);
}

/** The same with a path made absolute, for whoever has another working directory. */
export function absoluteOrigin(text: string): string {
  const [, kind, target] = /^(local|nfs|smb):(.+)$/s.exec(text) ?? [];
  if (kind !== undefined && target !== undefined) {
    return kind === 'local' ? path.resolve(target) : `${kind}:${path.resolve(target)}`;
  }
  return /^[a-z0-9]+:/.test(text) ? text : path.resolve(text);
}

function entryFrom(text: string): Record<string, unknown> {
  const match = /^([a-z0-9]+):(.*)$/s.exec(text);
  const [, kind, target = ''] = match ?? [];
  switch (kind) {
    case 'local':
    case 'nfs':
    case 'smb':
      if (target === '') break;
      return { kind, path: target };
    case 'sftp': {
      const url = URL.parse(target.startsWith('//') ? `sftp:${target}` : `sftp://${target}`);
      if (url === null || url.hostname === '') break;
      if (url.password !== '') {
        throw new MusicfsError(
          'invalid_argument',
          `--origin ${withoutUserInfo(text)}: ${noSecrets('a URL')}`,
        );
      }
      return {
        ...{ kind, host: url.hostname.replace(/^\[|\]$/g, ''), path: decodeURIComponent(url.pathname) },
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
      };
    }
    case 's3': {
      const [bucket = '', ...prefix] = target.replace(/^\/\//, '').split('/');
      return { kind, bucket, prefix: prefix.join('/') };
    }
    case 'webdav':
      return { kind, url: target };
    case 'http':
    case 'https':
      return { kind: 'webdav', url: text };
    case undefined:
      return { kind: 'local', path: text };
  }
  throw new MusicfsError(
    'invalid_argument',
    `--origin ${withoutUserInfo(text)}: an origin is a directory, or nfs:PATH, smb:PATH, sftp://USER@HOST/PATH, s3://BUCKET/PREFIX, webdav:URL`,
  );
}

function withoutUserInfo(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//');
}
