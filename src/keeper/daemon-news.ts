// What a daemon tells its keeper, and a keeper in the background its starter. Checked where it arrives.
import * as v from 'valibot';
import { type ErrorCode, errorCodes } from '../platform/errors.ts';

const schema = v.variant('type', [
  /** The kernel is being answered. `hasResend`: what this life leaves unanswered can be had again by the next. */
  v.object({ type: v.literal('serving'), hasResend: v.boolean() }),
  /** It has answered its first request. */
  v.object({ type: v.literal('answering') }),
  /** Its watchdog finds nothing wrong: told every few seconds. */
  v.object({ type: v.literal('alive') }),
  /** It is being stopped on purpose: whatever becomes of the daemon now, the mount is to go. */
  v.object({ type: v.literal('stopping') }),
  /** It ends and leaves the mount to its next life, that of another program if one is named (absolute path of a tree). */
  v.object({ type: v.literal('handing-over'), program: v.nullable(v.string()) }),
  /** It will not; `message` is one line for a person. */
  v.object({
    type: v.literal('refused'),
    code: v.custom<ErrorCode>((code) => typeof code === 'string' && Object.hasOwn(errorCodes, code)),
    message: v.string(),
  }),
]);

export type DaemonNews = v.InferOutput<typeof schema>;

/** The news in a message, or null when it is something else. */
export function newsFrom(message: unknown): DaemonNews | null {
  const parsed = v.safeParse(schema, message);
  return parsed.success ? parsed.output : null;
}
