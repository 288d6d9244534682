// What `musicfs` says by its exit code. Scripts rely on these numbers: they never change their meaning.
import { DaemonUnreachable } from '../control/client-errors.ts';
import { codeOf, errorCodes } from '../platform/errors.ts';

/** Number and meaning, as `musicfs --help` prints them. */
export const exitCodes = {
  ok: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'failed' },
  usage: { code: 2, meaning: 'wrong usage or configuration' },
  unreachable: { code: 3, meaning: 'no daemon answers' },
  notFound: { code: 4, meaning: 'not found' },
  refused: { code: 5, meaning: 'refused: a precondition is not met' },
  deadline: { code: 6, meaning: 'took longer than allowed' },
  problems: { code: 7, meaning: 'problems found' },
} as const;

/** The exit code for any failure, by the gRPC status that its code has in the error table. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof DaemonUnreachable) return exitCodes.unreachable.code;
  switch (errorCodes[codeOf(error)].grpc) {
    case 'INVALID_ARGUMENT':
      return exitCodes.usage.code;
    case 'NOT_FOUND':
      return exitCodes.notFound.code;
    case 'FAILED_PRECONDITION':
    case 'PERMISSION_DENIED':
    case 'UNIMPLEMENTED':
      return exitCodes.refused.code;
    case 'DEADLINE_EXCEEDED':
      return exitCodes.deadline.code;
    default:
      return exitCodes.failed.code;
  }
}

export function describeExitCodes(): string {
  const lines = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`);
  return ['Exit codes:', ...lines].join('\n');
}
