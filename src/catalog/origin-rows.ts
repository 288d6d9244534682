// The origins as the catalog knows them. Used by the publisher, inside its transactions where it writes.
import type Database from 'better-sqlite3';
import { MusicfsError } from '../platform/errors.ts';
import type { OriginRow } from './publication.ts';

type Row = Omit<OriginRow, 'firstScanComplete' | 'mountPoints'> & {
  readonly firstScanComplete: number;
  readonly mountPoints: string | null;
};

const usualPriority = 100;

export class OriginRows {
  private readonly sql;

  constructor(database: Database.Database) {
    this.sql = {
      idOf: database.prepare<unknown[], number>('SELECT id FROM origins WHERE name = ?').pluck(),
      insert: database.prepare<unknown[]>(
        'INSERT INTO origins (name, kind, root, priority) VALUES (@name, @kind, @root, @priority)',
      ),
      // A new root may be on another disk.
      update: database.prepare<unknown[]>(
        'UPDATE origins SET kind = @kind, priority = @priority, mount_points = iif(root = @root, mount_points, NULL), root = @root WHERE name = @name',
      ),
      all: database.prepare<unknown[], Row>(
        `SELECT name, kind, root, first_scan_complete AS firstScanComplete, files, mount_points AS mountPoints
         FROM origins ORDER BY id`,
      ),
      firstScanDone: database.prepare<unknown[]>(
        'UPDATE origins SET first_scan_complete = 1, mount_points = ? WHERE id = ?',
      ),
      priorityOf: database.prepare<unknown[], number>('SELECT priority FROM origins WHERE id = ?').pluck(),
      filesOf: database.prepare<unknown[], number>('SELECT files FROM origins WHERE id = ?').pluck(),
    };
  }

  /** Makes an origin known. A known one may have moved to another root: its files keep their nodes. */
  register(name: string, kind: string, root: string, priority = usualPriority): void {
    const isNew = this.sql.idOf.get(name) === undefined;
    (isNew ? this.sql.insert : this.sql.update).run({ name, kind, root, priority });
  }

  all(): OriginRow[] {
    return this.sql.all.all().map(({ mountPoints, ...row }) => ({
      ...row,
      firstScanComplete: row.firstScanComplete !== 0,
      mountPoints: mountPoints === null ? null : (JSON.parse(mountPoints) as string[]), // written by scanned
    }));
  }

  /** Throws `not_found`. */
  idOf(name: string): number {
    const id = this.sql.idOf.get(name);
    if (id === undefined) throw new MusicfsError('not_found', `no origin ${name}`);
    return id;
  }

  /** Every file of it was met, on the disks that are mounted there. */
  scanned(origin: number, mountPoints: readonly string[]): void {
    this.sql.firstScanDone.run(JSON.stringify(mountPoints), origin);
  }

  /** Lower: its word counts more. */
  priorityOf(origin: number): number {
    return this.sql.priorityOf.get(origin) ?? usualPriority;
  }

  /** Files that are listed of it. */
  filesOf(origin: number): number {
    return this.sql.filesOf.get(origin) ?? 0;
  }
}
