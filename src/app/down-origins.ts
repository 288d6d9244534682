// `<state>/down-origins.json`: which origins were down when they were last heard of. A next life then does not wait for
// them to find out: a read that only they could serve fails at once, until a probe says that they are back.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Never throws: without the record the next life finds out by itself. */
export function recordDown(stateDirectory: string, originIds: readonly string[]): void {
  const file = fileOf(stateDirectory);
  try {
    if (originIds.length === 0) return rmSync(file, { force: true });
    writeFileSync(`${file}.tmp`, JSON.stringify(originIds), { mode: 0o600 });
    renameSync(`${file}.tmp`, file);
  } catch {
    // The disk of the state is full or gone; status says so elsewhere.
  }
}

export function recordedDown(stateDirectory: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(stateDirectory), 'utf8'));
    return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

function fileOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'down-origins.json');
}
