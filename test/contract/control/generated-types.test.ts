import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { generateProtoTypes } from '../../../scripts/generate-proto-types.ts';

const committed = path.resolve(import.meta.dirname, '../../../src/control/generated');

it('the committed types are what the generator makes of proto/ now', () => {
  const fresh = mkdtempSync(path.join(tmpdir(), 'musicfs-proto-'));
  try {
    generateProtoTypes(fresh);
    const contents = contentsOf(fresh);
    expect(Object.keys(contents).length).toBeGreaterThan(30);
    expect(contentsOf(committed), 'run: node scripts/generate-proto-types.ts').toEqual(contents);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});

function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [path.relative(folder, file), readFileSync(file, 'utf8')];
    }),
  );
}
