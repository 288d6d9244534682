// breaks: fuse-imports
import { spawned } from '../actors/uses-nact.ts';
// breaks: fuse-reads-the-local-origin-only
import { root } from '../origins/origin.ts';

export const both = [spawned, root];
