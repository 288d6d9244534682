// The peers: other FUSE file systems that show the same files, as data. Each runs in the foreground under our eyes, with
// its own defaults, read-only.
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isOnPath } from '../src/platform/programs.ts';
import { runCommand } from './commands.ts';
import type { Library } from './libraries.ts';
import { mountPeer } from './peer-mount.ts';
import type { PeerName, System } from './system.ts';

interface Peer {
  readonly name: PeerName;
  readonly layout: System['layout'];
  /** The line that installs it. */
  readonly install: string;
  /** Arguments that mount; `scratch` is a folder for whatever it keeps. */
  readonly mountArguments: (library: Library, mountPoint: string, scratch: string) => readonly string[];
  /** Arguments of what has to run once for a library. */
  readonly prepareArguments?: (library: Library, scratch: string) => readonly string[];
}

const peers: readonly Peer[] = [
  {
    name: 'bindfs',
    layout: 'origin',
    install: 'apt-get install bindfs',
    mountArguments: ({ root }, mountPoint) => ['-f', '-o', 'ro', root, mountPoint],
  },
  {
    name: 'mergerfs',
    layout: 'origin',
    install: 'apt-get install mergerfs',
    mountArguments: ({ root }, mountPoint) => ['-f', '-o', 'ro', root, mountPoint],
  },
  {
    name: 'rclone',
    layout: 'origin',
    install: 'apt-get install rclone',
    // No configuration of the user's, nothing kept at home.
    mountArguments: ({ root }, mountPoint, scratch) => [
      ...['mount', `:local:${root}`, mountPoint, '--read-only'],
      ...['--config', '/dev/null', '--cache-dir', path.join(scratch, 'rclone')],
    ],
  },
  {
    name: 'musefs',
    layout: 'musefs',
    install: 'apt-get install libfuse3-dev pkg-config && cargo install musefs',
    // Whole files, unchanged: its quickest way, in which the kernel reads them itself.
    mountArguments: (library, mountPoint, scratch) => [
      ...['mount', '--db', musefsStore(library, scratch), '--mode', 'structure-only', mountPoint],
    ],
    prepareArguments: (library, scratch) => [
      ...['scan', '--quiet', '--db', musefsStore(library, scratch), library.root],
    ],
  },
];

function musefsStore(library: Library, scratch: string): string {
  return path.join(scratch, `musefs-${library.name}.db`);
}

/** Where musefs is, or undefined: for the scan rate, which needs a store of its own each time. */
export function findMusefs(): string | undefined {
  return find('musefs');
}

/** The peers that are installed, and a line for each that is not. */
export async function findPeers(
  scratch: string,
  signal: AbortSignal,
): Promise<{ found: System[]; missing: string[] }> {
  mkdirSync(scratch, { recursive: true });
  const found: System[] = [];
  const missing: string[] = [];
  for (const peer of peers) {
    const program = find(peer.name);
    if (program === undefined) missing.push(`${peer.name} is not installed: ${peer.install}`);
    else found.push(await systemOf(peer, program, scratch, signal));
  }
  return { found, missing };
}

async function systemOf(peer: Peer, program: string, scratch: string, signal: AbortSignal): Promise<System> {
  const { stdout, stderr } = await runCommand(program, ['--version'], { limitMs: 10_000, signal });
  const prepared = new Set<string>();
  return {
    name: peer.name,
    version: (stdout || stderr).split('\n')[0]?.trim() ?? '',
    layout: peer.layout,
    async prepare(library) {
      const arguments_ = peer.prepareArguments?.(library, scratch);
      if (arguments_ === undefined || prepared.has(library.name)) return;
      await runCommand(program, arguments_, { signal });
      prepared.add(library.name);
    },
    mount: (library, mountPoint) =>
      mountPeer(program, peer.mountArguments(library, mountPoint, scratch), mountPoint, signal),
  };
}

/** On PATH, or where cargo installs. */
function find(program: string): string | undefined {
  if (isOnPath(program)) return program;
  const fromCargo = path.join(homedir(), '.cargo/bin', program);
  return existsSync(fromCargo) ? fromCargo : undefined;
}
