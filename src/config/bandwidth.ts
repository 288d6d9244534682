// A limit of bandwidth as people write it: "2MiB", or by the time of day: "08:00-23:00 2MiB; else 0". 0 is no limit.
import type { BandwidthRule } from '../platform/origin-settings.ts';
import { bytesOf } from './sizes.ts';

export const bandwidthHint =
  'a bandwidth is bytes a second, by the time of day where that is wanted: "2MiB", "08:00-23:00 2MiB; else 0"';

/** null when it is none. The first rule that a time falls into counts. */
export function parseBandwidth(text: string): readonly BandwidthRule[] | null {
  const rules: BandwidthRule[] = [];
  for (const part of text.split(';')) {
    const match = /^\s*(?:(\d\d):(\d\d)-(\d\d):(\d\d)\s+|(else)\s+)?(\S.*?)\s*$/.exec(part);
    if (match === null) return null;
    const [, fromHour, fromMinute, toHour, toMinute, , rate = ''] = match;
    const bytesPerSecond = rate === '0' ? 0 : bytesOf(rate);
    if (!Number.isSafeInteger(bytesPerSecond)) return null;
    if (fromHour === undefined) rules.push({ fromMinute: 0, toMinute: 24 * 60, bytesPerSecond });
    else {
      const from = minuteOf(fromHour, fromMinute);
      const to = minuteOf(toHour, toMinute);
      if (from === null || to === null) return null;
      rules.push({ fromMinute: from, toMinute: to, bytesPerSecond });
    }
  }
  return rules;
}

function minuteOf(hour = '', minute = ''): number | null {
  const minutes = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && minutes <= 24 * 60 ? minutes : null;
}
