// Who gets a contested name, decided here as only the catalog knows who has it: the holder keeps it, the newcomer takes a
// suffix made of its own audio, so that neither the order nor the time of a scan changes a name. Used inside a
// publication's transaction only.
import type Database from 'better-sqlite3';
import { withSuffix } from '../library/collisions.ts';
import type { PlacedName } from '../library/placement.ts';
import type { TrackFacts } from '../library/track-facts.ts';
import { MusicfsError } from '../platform/errors.ts';
import { rootNodeId } from './schema.ts';
import type { Instant, TreeWriter } from './tree-writer.ts';

/** The names a file may take, best first. */
export interface Spellings {
  /** Bare, then marked by its audio. */
  readonly ofAudio: readonly string[];
  /** Marked by its audio and its path. */
  readonly ofPath: readonly string[];
}

/** A file that wants a name. */
export interface Claimant {
  readonly node: number;
  readonly facts: Pick<TrackFacts, 'originId' | 'realPath'>;
  readonly audioFp: string | null;
}

export class NameClaims {
  private readonly tree: TreeWriter;
  private readonly hash: (text: string) => string;
  private readonly audioOf;

  constructor(database: Database.Database, tree: TreeWriter, hash: (text: string) => string) {
    this.tree = tree;
    this.hash = hash;
    this.audioOf = database
      .prepare<unknown[], string | null>('SELECT audio_fp FROM tracks WHERE node = ?')
      .pluck();
  }

  spellings(name: string, { facts, audioFp }: Pick<Claimant, 'facts' | 'audioFp'>): Spellings {
    const ofPath = this.hash(`${facts.originId}/${facts.realPath}`);
    const identity = audioFp ?? ofPath;
    const lengths = [6, 8, 12, 16];
    return {
      ofAudio: [name, ...lengths.map((digits) => withSuffix(name, identity, digits))],
      ofPath: lengths.map((digits) => withSuffix(name, `${identity.slice(0, 6)}${ofPath}`, 6 + digits)),
    };
  }

  /** The directory of that path, made where it does not exist. */
  directories(path: readonly PlacedName[], now: Instant): number {
    return this.directoriesBelow(rootNodeId, path, now);
  }

  directoriesBelow(top: number, path: readonly PlacedName[], now: Instant): number {
    let parent = top;
    for (const { name, sortKey } of path) {
      let spelling = name;
      const spare = () => {
        spelling = withSuffix(name, this.hash(spelling), 6);
        return spelling;
      };
      parent = this.tree.directory(parent, name, sortKey, spare, now);
    }
    return parent;
  }

  /**
   * The best spelling that nobody else has. Audio does not tell a file from its own copy: past a name that a copy holds
   * only spellings with the path are tried, as more digits of the audio would go to whichever copy comes first. What
   * musicfs made itself makes room.
   */
  claim(
    parent: number,
    names: Spellings,
    { node, audioFp }: Pick<Claimant, 'node' | 'audioFp'>,
    now: Instant,
  ): string {
    const otherHolder = (name: string): number | undefined => {
      const holder = this.tree.holderOf(parent, name);
      if (holder?.isMade === true) this.tree.unlist(holder.node, now);
      return holder === undefined || holder.isMade || holder.node === node ? undefined : holder.node;
    };
    for (const name of names.ofAudio) {
      const holder = otherHolder(name);
      if (holder === undefined) return name;
      if (audioFp !== null && this.audioOf.get(holder) === audioFp) break;
    }
    const free = names.ofPath.find((name) => otherHolder(name) === undefined);
    if (free === undefined) throw new MusicfsError('internal', 'no free spelling for a file');
    return free;
  }
}
