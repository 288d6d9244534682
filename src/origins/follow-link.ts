// Where a symbolic link leads, below the root of its origin, found out a part of the path at a time: what lies outside the
// root is never touched, not even looked at, as it may be on a share that hangs. Used by local-files.ts.
import { childPath, parentOf, type RealPath, rootRealPath } from '../library/real-path.ts';
import { limits } from '../platform/limits.ts';

/** What stands at a path: the target of a link, as bytes in latin1; null: something that is no link; undefined: nothing. */
export type LookAtLink = (path: RealPath) => Promise<string | null | undefined>;

/**
 * The place below the root that a link, or a path through links, stands for: no part of it is a link. null when it leads out
 * of the root, to nothing, in a circle, or through more links than the system itself would follow. An absolute target counts
 * as inside when it begins with `root` (bytes in latin1) as that is spelled.
 */
export async function followLink(link: RealPath, root: string, look: LookAtLink): Promise<RealPath | null> {
  let place = rootRealPath;
  const ahead = link.split('/').reverse();
  for (let followed = 0; ; ) {
    const part = ahead.pop();
    if (part === undefined) return place;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (place === rootRealPath) return null;
      place = parentOf(place);
      continue;
    }
    const next = childPath(place, part);
    const target = await look(next);
    if (target === undefined) return null;
    if (target === null) {
      place = next;
      continue;
    }
    followed += 1;
    if (followed > limits.linksFollowed || ahead.length > limits.linkParts) return null;
    if (target.startsWith('/')) {
      if (!`${target}/`.startsWith(root === '/' ? '/' : `${root}/`)) return null;
      place = rootRealPath;
      ahead.push(...target.slice(root.length).split('/').reverse());
    } else ahead.push(...target.split('/').reverse());
  }
}
