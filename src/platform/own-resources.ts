// What this process uses of what it may use: open descriptors and memory.
import { readdirSync, readFileSync } from 'node:fs';
import { limits } from './limits.ts';

export interface Use {
  readonly used: number;
  readonly limit: number;
}

export interface ResourceUse {
  readonly descriptors: Use;
  /** Resident, in bytes. */
  readonly memory: Use;
}

/** `high`: somebody should look. `scarce`: what can be spared is given back. */
export type ResourceLevel = 'fine' | 'high' | 'scarce';

export function levelOf({ used, limit }: Use): ResourceLevel {
  const share = used / limit;
  if (share >= limits.resourceScarceShare) return 'scarce';
  return share >= limits.resourceHighShare ? 'high' : 'fine';
}

/** As it is now; a few hundred microseconds for a thousand descriptors. Node has raised the soft limit to the hard one. */
export function resourceUse(): ResourceUse {
  const ofLimits = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return {
    descriptors: {
      used: readdirSync('/proc/self/fd').length - 1, // without the listing's own
      limit: Number(ofLimits ?? Number.POSITIVE_INFINITY), // "unlimited" is no number
    },
    memory: { used: process.memoryUsage.rss(), limit: limits.memoryBytes },
  };
}
