// From a host name to addresses, for origins that are reached over the network. getaddrinfo is not used: it would hold
// one of the few threads of the pool for as long as a name server is silent. Asked are, in this order: the name itself
// when it is an address, the hosts file, the name servers of resolv.conf (its search list for names without a dot).
//
// A name server that fails must not take a living origin away: the last good addresses are used for a while, and after a
// failure not every new connection waits for the servers again. Names that only multicast DNS knows are not found.
import { promises as dns, type LookupAddress } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP, type LookupFunction } from 'node:net';
import { type Clock, systemClock } from '../platform/clock.ts';
import { MusicfsError } from '../platform/errors.ts';
import { limits } from '../platform/limits.ts';

export interface ResolverOptions {
  /** Name servers ("127.0.0.1:5353") instead of those of resolv.conf. */
  readonly servers?: readonly string[];
  /** ms for one name in all. */
  readonly timeLimitMs?: number;
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  readonly clock?: Clock;
}

interface Known {
  readonly addresses: readonly LookupAddress[];
  readonly atMs: number;
}

export class HostResolver {
  private readonly servers: readonly string[] | undefined;
  private readonly timeLimitMs: number;
  private readonly hostsFile: string;
  private readonly resolvConf: string;
  private readonly clock: Clock;
  private readonly lastGood = new Map<string, Known>();
  /** Host → when the name servers last failed for it. */
  private readonly failedAtMs = new Map<string, number>();

  constructor(options: ResolverOptions = {}) {
    this.servers = options.servers;
    this.timeLimitMs = options.timeLimitMs ?? limits.resolveHostMs;
    this.hostsFile = options.hostsFile ?? '/etc/hosts';
    this.resolvConf = options.resolvConf ?? '/etc/resolv.conf';
    this.clock = options.clock ?? systemClock;
  }

  /**
   * Addresses to connect to, at least one, IPv4 first; old ones when the name servers fail and they are not older than
   * `limits.lastGoodAddressMs`. Rejects with `name_resolution`, or with the signal's reason.
   */
  async resolve(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const known = this.lastGood.get(host);
    const nowMs = this.clock.monotonicMs();
    const isGood = known !== undefined && nowMs - known.atMs <= limits.lastGoodAddressMs;
    const failedAtMs = this.failedAtMs.get(host);
    const isFailing = failedAtMs !== undefined && nowMs - failedAtMs < limits.resolveAgainMs;
    if (isGood && isFailing) return known.addresses;
    try {
      return await this.resolveNow(host, signal);
    } catch (error) {
      if (signal.aborted || !isGood) throw error;
      return known.addresses;
    }
  }

  /** The same without old addresses: whether the name can be resolved at this moment. For probes. */
  async resolveNow(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    signal.throwIfAborted();
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    const family = isIP(bare);
    if (family !== 0) return [{ address: bare, family }];
    const addresses = (await this.fromHostsFile(bare)) ?? (await this.askServers(bare, signal));
    this.failedAtMs.delete(host);
    this.remember(host, addresses);
    return addresses;
  }

  /** For `net.connect` and the agents of node:http. An abort of the connection does not reach it; the time limit does. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.resolve(host, AbortSignal.timeout(this.timeLimitMs + 1_000)).then(
      (all) => {
        const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
        const fitting = family === 0 ? all : all.filter((one) => one.family === family);
        const [first] = fitting;
        if (first === undefined) callback(notResolved(host, 'ENODATA'), '', 0);
        else if (options.all === true) callback(null, [...fitting]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : notResolved(host, 'unknown'), '', 0),
    );
  };

  private async askServers(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const timeLimit = AbortSignal.timeout(this.timeLimitMs);
    const either = AbortSignal.any([signal, timeLimit]);
    let code = 'ENOTFOUND';
    for (const candidate of await this.candidates(host)) {
      const answer = await this.askFor(candidate, either);
      signal.throwIfAborted();
      if (typeof answer !== 'string') return answer;
      code = timeLimit.aborted ? 'ETIMEOUT' : answer;
      if (timeLimit.aborted) break;
    }
    this.failedAtMs.set(host, this.clock.monotonicMs());
    throw notResolved(host, code);
  }

  /** One spelling of the name: its addresses, or the code of the failure. */
  private async askFor(host: string, signal: AbortSignal): Promise<readonly LookupAddress[] | string> {
    if (signal.aborted) return 'ECANCELLED';
    // A resolver of its own for each question: it can be cancelled without hurting others, and reads resolv.conf anew.
    const resolver = new dns.Resolver({ timeout: Math.ceil(this.timeLimitMs / 3), tries: 2 });
    if (this.servers !== undefined) resolver.setServers(this.servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const addresses = [
        ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 })),
        ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 })),
      ];
      return addresses.length > 0
        ? addresses
        : codeOfFailure(four.status === 'rejected' ? four.reason : null);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** The spellings to ask for: a name without a dot may be one of the local domain. */
  private async candidates(host: string): Promise<readonly string[]> {
    if (host.endsWith('.')) return [host];
    if (host.includes('.')) return [host];
    const conf = await readFile(this.resolvConf, 'utf8').catch(() => '');
    const line = conf.split('\n').findLast((text) => /^\s*(search|domain)\s/.test(text));
    const domains =
      line
        ?.trim()
        .split(/\s+/)
        .slice(1, 1 + limits.searchDomains) ?? [];
    return [...domains.map((domain) => `${host}.${domain}`), host];
  }

  private async fromHostsFile(host: string): Promise<readonly LookupAddress[] | undefined> {
    const text = await readFile(this.hostsFile, 'utf8').catch(() => '');
    const wanted = host.toLowerCase();
    const found = text.split('\n').flatMap((line) => {
      const [address = '', ...hosts] = line.replace(/#.*/, '').trim().split(/\s+/);
      const isFor = isIP(address) !== 0 && hosts.some((name) => name.toLowerCase() === wanted);
      return isFor ? [{ address, family: isIP(address) }] : [];
    });
    if (found.length > 0) return found.sort((a, b) => a.family - b.family);
    return wanted === 'localhost' ? [{ address: '127.0.0.1', family: 4 }] : undefined;
  }

  private remember(host: string, addresses: readonly LookupAddress[]): void {
    this.lastGood.delete(host);
    this.lastGood.set(host, { addresses, atMs: this.clock.monotonicMs() });
    const [oldest] = this.lastGood.keys();
    if (this.lastGood.size > limits.hostsRemembered && oldest !== undefined) this.lastGood.delete(oldest);
  }
}

function notResolved(host: string, code: string): MusicfsError {
  return new MusicfsError('name_resolution', `the name ${host} has no address now (${code})`);
}

function codeOfFailure(reason: unknown): string {
  const code = typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : undefined;
  return typeof code === 'string' ? code : 'ENODATA';
}
