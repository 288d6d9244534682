// What a starting daemon tells its keeper, and a keeper in the background its starter. Checked where it arrives.
import * as v from 'valibot';
import { type ErrorCode, errorCodes } from '../platform/errors.ts';

const schema = v.variant('type', [
  /** The mount answers. */
  v.object({ type: v.literal('serving') }),
  /** It is being stopped on purpose: whatever becomes of the daemon now, the mount is to go. */
  v.object({ type: v.literal('stopping') }),
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
