// What status says in words about a catalog that was damaged and about what runs out. Pure; used by control-port only.
import type { Recovery } from '../catalog/recover-catalog.ts';
import { levelOf, type ResourceUse } from '../platform/own-resources.ts';

export function resourceTexts({ descriptors, memory }: ResourceUse): string[] {
  const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;
  const texts: string[] = [];
  if (levelOf(descriptors) !== 'fine') {
    texts.push(`${descriptors.used} of ${descriptors.limit} file descriptors are in use`);
  }
  if (levelOf(memory) !== 'fine')
    texts.push(`${mb(memory.used)} of memory are in use, of ${mb(memory.limit)}`);
  return texts;
}

export function recoveryText({ reason, keptAs, restoredFrom }: Recovery): string {
  const now =
    restoredFrom === null ? 'it is built anew by a scan' : `the backup ${restoredFrom} took its place`;
  const before = keptAs === null ? '' : `, the damaged file is kept as ${keptAs}`;
  return `the catalog was damaged (${reason}): ${now}${before}`;
}
