// Files of the system that a command keeps as they should be: compared first, so that what is right already is not
// touched, and replaced whole, so that a reader sees the old text or the new one. What was done is kept for a report.
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, MusicfsError } from '../platform/errors.ts';

export class SystemFiles {
  /** One line for each thing that was done, in order. */
  readonly changed: string[] = [];

  did(what: string): void {
    this.changed.push(what);
  }

  /** True when the file said something else before. `gid`: a group that alone may read it, beside root. */
  write(file: string, text: string, gid?: number): boolean {
    if (textOf(file) === text) return false;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
    const fresh = `${file}.new`;
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { mode: gid === undefined ? 0o644 : 0o640, flag: 'wx' });
    if (gid !== undefined) chownSync(fresh, 0, gid);
    renameSync(fresh, file);
    this.did(`wrote ${file}`);
    return true;
  }

  /** Throws `already_exists` where something else than a link is. */
  link(file: string, target: string): void {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true && readlinkSync(file) === target) return;
    if (found !== undefined && !found.isSymbolicLink()) {
      throw new MusicfsError('already_exists', `${file} is there already: remove it, or leave --config out`);
    }
    rmSync(file, { force: true });
    symlinkSync(target, file);
    this.did(`linked ${file} to ${target}`);
  }

  remove(place: string): void {
    if (!existsSync(place)) return;
    rmSync(place, { recursive: true });
    this.did(`removed ${place}`);
  }
}

/** What a file says; null where there is none. */
export function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
