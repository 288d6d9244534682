// A path that a person gave, as a path of the tree: what lies in the mount by its place there, anything else as it is.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { ControlClient } from '../control/client.ts';

/** `/mnt/music/Artist/Album` is `Artist/Album` for the daemon of /mnt/music; `Artist/Album` is itself. */
export async function pathInMount(client: Pick<ControlClient, 'status'>, given: string): Promise<string> {
  const { mountPoint } = await client.status();
  const inside = path.relative(mountPoint, settled(path.resolve(given)));
  const isInside = inside !== '..' && !inside.startsWith('../');
  if (isInside) return inside;
  return given;
}

/** Links on the way to the mount are followed, without a look below it: the daemon itself may be what is away. */
function settled(absolute: string): string {
  const parent = path.dirname(absolute);
  if (parent === absolute) return absolute;
  try {
    return realpathSync(absolute);
  } catch {
    return path.join(settled(parent), path.basename(absolute));
  }
}
