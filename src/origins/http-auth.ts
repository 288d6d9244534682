// Who we are, over HTTP: Basic, Digest (MD5 and SHA-256) and Bearer. A password is shown to a server only after it asked,
// and in the strongest way it offers, so that one that offers Digest never sees the password itself.
//
// https://www.rfc-editor.org/rfc/rfc7616 https://www.rfc-editor.org/rfc/rfc7617
import { createHash, randomBytes } from 'node:crypto';
import type { Credentials } from './credentials.ts';

interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: string | undefined;
  readonly hash: 'md5' | 'sha256';
  readonly isSession: boolean;
  readonly hasQop: boolean;
}

type Way =
  | { readonly type: 'basic' }
  | { readonly type: 'digest'; readonly challenge: DigestChallenge; used: number };

export class HttpAuth {
  private readonly credentials: Credentials | null;
  private way: Way | undefined;

  constructor(credentials: Credentials | null) {
    this.credentials = credentials;
  }

  /** The Authorization header for a request, or undefined when there is none to send (yet). */
  header(method: string, path: string): string | undefined {
    const { credentials, way } = this;
    if (credentials?.type === 'bearer') return `Bearer ${credentials.token.reveal()}`;
    if (credentials?.type !== 'basic' || way === undefined) return undefined;
    const [user, password] = [credentials.username.reveal(), credentials.password.reveal()];
    if (way.type === 'basic') return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    way.used += 1;
    return digestHeader(way.challenge, way.used, user, password, method, path);
  }

  /** What a 401 asks for, given the header that it refused. Whether another try with `header` makes sense. */
  learn(wwwAuthenticate: string | undefined, refused: string | undefined): boolean {
    if (this.credentials?.type !== 'basic') return false;
    const challenges = challengesIn(wwwAuthenticate ?? '');
    const digests = challenges.flatMap((challenge) => digestIn(challenge) ?? []);
    const digest = digests.find(({ hash }) => hash === 'sha256') ?? digests[0];
    if (digest !== undefined) {
      // The same nonce again: the password is wrong. A new one: the old one may just have expired.
      if (refused?.includes(`nonce="${digest.nonce}"`) === true) return false;
      this.way = { type: 'digest', challenge: digest, used: 0 };
      return true;
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic') || refused?.startsWith('Basic ') === true)
      return false;
    this.way = { type: 'basic' };
    return true;
  }
}

interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `Digest realm="a", nonce="b", Basic realm="c"`: a word without "=" begins the next challenge. */
function challengesIn(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g;
  for (const [, word = '', quoted, plain] of header.matchAll(token)) {
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    if (value === undefined) challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(word.toLowerCase(), value);
  }
  return challenges;
}

function digestIn({ scheme, parameters }: Challenge): DigestChallenge | undefined {
  const nonce = parameters.get('nonce');
  if (scheme !== 'digest' || nonce === undefined) return undefined;
  const algorithm = parameters.get('algorithm');
  const [, name, session] = /^(md5|sha-256)(-sess)?$/i.exec(algorithm ?? 'MD5') ?? [];
  const qop = parameters.get('qop');
  const hasAuth = qop?.split(',').some((option) => option.trim() === 'auth') === true;
  if (name === undefined || (qop !== undefined && !hasAuth)) return undefined;
  return {
    realm: parameters.get('realm') ?? '',
    nonce,
    opaque: parameters.get('opaque'),
    algorithm,
    hash: name.toLowerCase() === 'md5' ? 'md5' : 'sha256',
    isSession: session !== undefined,
    hasQop: hasAuth,
  };
}

function digestHeader(
  challenge: DigestChallenge,
  count: number,
  user: string,
  password: string,
  method: string,
  path: string,
): string {
  const { realm, nonce, opaque, algorithm } = challenge;
  const h = (text: string) => createHash(challenge.hash).update(text).digest('hex');
  const cnonce = randomBytes(16).toString('hex');
  const nc = count.toString(16).padStart(8, '0');
  const secret = h(`${user}:${realm}:${password}`);
  const a1 = challenge.isSession ? h(`${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = h(`${method}:${path}`);
  const response = challenge.hasQop
    ? h(`${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}`)
    : h(`${a1}:${nonce}:${a2}`);
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  const parts = [
    `username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(path)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(challenge.hasQop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}
