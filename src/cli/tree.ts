// musicfs tree: the supervision tree, with what went wrong where.
import type { Command } from 'commander';
import type { SupervisionNode } from '../control/client.ts';
import { counted, duration } from '../platform/plain-figures.ts';
import { addDaemonOptions, type DaemonOptions, withDaemon } from './find-daemon.ts';
import { printReport } from './print.ts';

export function registerTree(program: Command): void {
  addDaemonOptions(program.command('tree').argument('[mountpoint]', 'which mount'))
    .description('show the supervision tree')
    .action(async (mountPoint: string | undefined, options: DaemonOptions) => {
      const root = await withDaemon(mountPoint, options, (client) => client.supervision());
      printReport(root, options.json, (node) => describeTree(node, Date.now()));
    });
}

export function describeTree(root: SupervisionNode, nowMs: number): string {
  return drawn(root, '', '', nowMs).join('\n');
}

function drawn(node: SupervisionNode, branch: string, below: string, nowMs: number): string[] {
  const children = node.children.flatMap((child, index) => {
    const last = index === node.children.length - 1;
    return drawn(child, `${below}${last ? '└─ ' : '├─ '}`, `${below}${last ? '   ' : '│  '}`, nowMs);
  });
  return [`${branch}${describeNode(node, nowMs)}`, ...children];
}

function describeNode(node: SupervisionNode, nowMs: number): string {
  const { mailbox, lastError, budget } = node;
  const parts = [`${node.id}  ${node.state}`];
  if (node.strategy !== undefined) parts.push(node.strategy);
  if (node.kind === 'worker' || node.kind === 'process') {
    parts.push(node.pid === undefined ? node.kind : `${node.kind} ${node.pid}`);
  }
  if (node.restartsTotal > 0) {
    const spent = budget === undefined ? '' : ` (${node.restartsInWindow} of ${budget.max} spent)`;
    parts.push(`${counted(node.restartsTotal, 'restart')}${spent}`);
  }
  if (node.nextRestartMs !== undefined) {
    parts.push(`next start in ${duration(Math.max(0, node.nextRestartMs - nowMs) / 1_000)}`);
  }
  if (mailbox !== undefined && mailbox.limit > 0) {
    const dropped = mailbox.dropped > 0 ? `, ${mailbox.dropped} dropped` : '';
    parts.push(`mailbox ${mailbox.depth} of ${mailbox.limit}, most ${mailbox.highWater}${dropped}`);
  }
  if (lastError !== undefined) {
    const age = duration(Math.max(0, nowMs - lastError.atMs) / 1_000);
    parts.push(`last error ${age} ago: ${lastError.code}: ${lastError.message}`);
  }
  return parts.join(' · ');
}
