// How long a server wants to be left alone. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after

/** ms from `nowMs` on, from seconds or a date; undefined when it says neither. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}
