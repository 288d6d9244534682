// The files in which ssh keeps the keys of hosts it knows, and what a key that a host shows is worth by them. Pure.
//
// One line a key, fields separated by blanks (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"):
//   [@revoked | @cert-authority] names type key [comment]
// names: patterns separated by ",", with * and ?, "!" before one excludes; or one name hashed, "|1|salt|hash" in base64,
// HMAC-SHA1 of the name with the salt as key. A host on another port than 22 is named "[host]:port". The key is base64 of
// its SSH wire form, which begins with its type again. "#" begins a comment line; a line of protocol 1 (three numbers) is
// of no use to anybody and passed over.
//
// Stricter than ssh in two points: a line that makes no sense spoils the file, as what it should have said is not known;
// and a host that shows a key of another type than the known ones is a changed host, as those known are asked for first.
import { createHash, createHmac } from 'node:crypto';

export interface KnownHost {
  readonly marker: 'revoked' | 'cert-authority' | null;
  readonly names: readonly Pattern[] | HashedName;
  readonly type: string;
  readonly key: Buffer;
  /** "file:line", for people. */
  readonly place: string;
}

interface Pattern {
  readonly isExcluded: boolean;
  readonly matches: RegExp;
}

interface HashedName {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** What the files say of a key. Only `known` may be trusted; `new` may be kept, when that is the policy. */
export type HostKeyVerdict =
  | { readonly type: 'known' }
  | { readonly type: 'new' }
  /** Other keys are known of this host. */
  | { readonly type: 'changed'; readonly known: readonly KnownHost[] }
  | { readonly type: 'revoked'; readonly by: KnownHost }
  /** Only an authority is known that may have signed the host's key, which is not checked here. */
  | { readonly type: 'authority'; readonly by: KnownHost };

/** The name of a host in these files. IPv6 addresses without brackets. */
export function nameInKnownHosts(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** The lines of a file. Throws a RangeError that says which line makes no sense. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => {
    const place = `${file}:${index + 1}`;
    const fields = line.trim().split(/[ \t]+/);
    if (fields[0] === '' || fields[0]?.startsWith('#')) return [];
    const marker = fields[0]?.startsWith('@') ? (fields.shift() ?? '') : null;
    if (marker !== null && marker !== '@revoked' && marker !== '@cert-authority')
      throw new RangeError(`${place}: the marker ${marker.slice(0, 40)} is not known`);
    const [names = '', type = '', base64 = ''] = fields;
    if (marker === null && /^\d+$/.test(type) && /^\d+$/.test(base64)) return []; // protocol 1
    const key = keyOf(type, base64);
    if (key === null) throw new RangeError(`${place}: that is no host key`);
    const parsed = names.startsWith('|') ? hashedName(names) : patterns(names);
    if (parsed === null) throw new RangeError(`${place}: that is no name of a host`);
    const plain = marker === null ? null : marker === '@revoked' ? 'revoked' : 'cert-authority';
    return [{ marker: plain, names: parsed, type, key, place }];
  });
}

/** What is to be made of a key that the host of that name shows. */
export function judgeHostKey(lines: readonly KnownHost[], name: string, key: Buffer): HostKeyVerdict {
  const about = lines.filter((line) => isAbout(line, name));
  const revoked = about.find((line) => line.marker === 'revoked' && line.key.equals(key));
  if (revoked !== undefined) return { type: 'revoked', by: revoked };
  const known = about.filter((line) => line.marker === null);
  if (known.some((line) => line.key.equals(key))) return { type: 'known' };
  if (known.length > 0) return { type: 'changed', known };
  const authority = about.find((line) => line.marker === 'cert-authority');
  if (authority !== undefined) return { type: 'authority', by: authority };
  return { type: 'new' };
}

/** The types of the keys that are known of a host: what it should be asked for. */
export function knownKeyTypes(lines: readonly KnownHost[], name: string): string[] {
  const known = lines.filter((line) => line.marker === null && isAbout(line, name));
  return [...new Set(known.map(({ type }) => type))];
}

/** As `ssh-keygen -l` shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The line that makes a key known. */
export function knownHostsLine(name: string, key: Buffer): string {
  return `${name} ${keyTypeOf(key) ?? 'unknown'} ${key.toString('base64')}`;
}

/** The type that the wire form of a key begins with, null when it is none. */
export function keyTypeOf(key: Buffer): string | null {
  if (key.length < 4) return null;
  const length = key.readUInt32BE(0);
  if (length === 0 || length > 64 || key.length <= 4 + length) return null;
  const type = key.toString('latin1', 4, 4 + length);
  return /^[\x21-\x7e]+$/.test(type) ? type : null;
}

function isAbout({ names }: KnownHost, name: string): boolean {
  if ('salt' in names) return createHmac('sha1', names.salt).update(name).digest().equals(names.hash);
  const matching = names.filter(({ matches }) => matches.test(name));
  return matching.length > 0 && !matching.some(({ isExcluded }) => isExcluded);
}

function keyOf(type: string, base64: string): Buffer | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const key = Buffer.from(base64, 'base64');
  return keyTypeOf(key) === type ? key : null;
}

function hashedName(text: string): HashedName | null {
  const [, version, salt = '', hash = '', more] = text.split('|');
  const parsed = { salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
  const isSha1 = version === '1' && parsed.salt.length === 20 && parsed.hash.length === 20;
  return isSha1 && more === undefined ? parsed : null;
}

function patterns(text: string): Pattern[] | null {
  const parts = text.split(',');
  if (parts.some((part) => part === '' || part === '!')) return null;
  return parts.map((part) => {
    const isExcluded = part.startsWith('!');
    const body = (isExcluded ? part.slice(1) : part).toLowerCase();
    const source = body.replace(/[.*+?^${}()|[\]\\]/g, (char) =>
      char === '*' ? '.*' : char === '?' ? '.' : `\\${char}`,
    );
    return { isExcluded, matches: new RegExp(`^${source}$`) };
  });
}
