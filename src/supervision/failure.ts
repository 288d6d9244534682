// Why a child failed, as it travels from the life that failed to the supervisor that answers.
import { codeOf, messageOf } from '../platform/errors.ts';
import type { EndReason, SupervisionReport } from './supervision-report.ts';

export interface Failure {
  readonly reason: EndReason;
  readonly error: unknown;
}

/** The part of a report that describes the error; the stack only `withStack`, as one line of several needs it. */
export function errorFields(
  failure: Failure | null,
  withStack: boolean,
): Pick<SupervisionReport, 'errorCode' | 'message' | 'stack'> {
  if (failure === null) return { errorCode: null, message: null, stack: null };
  const { error } = failure;
  const stack = withStack && error instanceof Error ? (error.stack ?? null) : null;
  return { errorCode: codeOf(error), message: messageOf(error), stack };
}

/** A value that has to be waited for. Handlers and initial states must not be one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
