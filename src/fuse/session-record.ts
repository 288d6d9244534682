// What a later life must know to go on with a session: the kernel asks INIT only once a mount.
//
// `<state>/session.json` is replaced by rename before the INIT reply is written, so that whoever holds the descriptor
// finds what was agreed. It is valid only for the same boot and the same device number of the mount.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import type { Negotiated } from './protocol/init.ts';

const schema = v.object({
  format: v.literal(2),
  bootId: v.string(),
  /** "major:minor" of the mount, as mountinfo shows it. */
  device: v.string(),
  negotiated: v.object({
    minor: v.number(),
    flags: v.number(),
    flags2: v.number(),
    maxReadahead: v.number(),
    maxPages: v.number(),
    hasResend: v.boolean(),
    hasPassthrough: v.boolean(),
    hasNoOpendir: v.boolean(),
  }),
});

const fileName = 'session.json';

export function currentBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** What was agreed in the session of this device, or null when there is none that fits. */
export function loadSession(stateDirectory: string, device: string): Negotiated | null {
  let text: string;
  try {
    text = readFileSync(path.join(stateDirectory, fileName), 'utf8');
  } catch {
    return null; // a first start has none
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (!parsed.success) return null;
  const { output } = parsed;
  return output.bootId === currentBootId() && output.device === device ? output.negotiated : null;
}

/** Written before the INIT reply. Synchronous: nothing may be answered before it is there. */
export function saveSession(stateDirectory: string, device: string, negotiated: Negotiated): void {
  const file = path.join(stateDirectory, fileName);
  writeFileSync(`${file}.tmp`, JSON.stringify({ format: 2, bootId: currentBootId(), device, negotiated }));
  renameSync(`${file}.tmp`, file);
}

/** A new mount, or the end of one: what was agreed before means nothing any more. */
export function forgetSession(stateDirectory: string): void {
  rmSync(path.join(stateDirectory, fileName), { force: true });
}
