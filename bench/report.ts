// bench/results.json: everything one full run found, and the machine it ran on.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Verdict } from './bars.ts';
import type { Figures } from './results.ts';
import type { Sizes } from './sizes.ts';
import type { System } from './system.ts';

export interface Report {
  readonly date: string;
  readonly machine: {
    readonly processors: number;
    readonly processor: string;
    readonly memoryGb: number;
    readonly kernel: string;
    readonly distribution: string;
    readonly node: string;
    readonly fileSystem: string;
  };
  readonly sizes: Sizes;
  readonly systems: readonly { readonly name: string; readonly version: string }[];
  /** One line for each system that could not be compared. */
  readonly missing: readonly string[];
  /** One line for each that failed while it was measured: its figures are of fewer rounds, or absent. */
  readonly failures: readonly string[];
  readonly figures: Figures;
  readonly bars: readonly Verdict[];
}

export function machineFacts(fileSystem: string): Report['machine'] {
  return {
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    distribution: distribution(),
    node: process.version,
    fileSystem,
  };
}

export function namesAndVersions(systems: readonly System[]): Report['systems'] {
  return systems.map(({ name, version }) => ({ name, version }));
}

function distribution(): string {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="(.*)"$/m.exec(text)?.[1] ?? 'unknown';
  } catch {
    return 'unknown'; // a machine without the file
  }
}
