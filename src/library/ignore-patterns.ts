// A file of ignore rules, cut into patterns the way git cuts a .gitignore: lines end with LF or CR LF, "#" starts a
// comment, "!" takes back, a byte order mark at the start and blanks at the end of a line do not count. Names need not
// be UTF-8, so patterns stay bytes, and "?" is one byte, as in git.
// Called by ignore-rules.ts, for files that come from an origin: whatever is in them costs no more than the limits say.
import { byteText } from './byte-text.ts';
import { libraryLimits } from './library-limits.ts';

export interface IgnorePattern {
  /** What follows the "!", as bytes held as text. Its end still has the blanks that git would take away. */
  readonly body: string;
  readonly isNegative: boolean;
}

/** Something of a file that was left out. `line` is the first line it concerns, from 1; `lines` how many. */
export interface IgnoreWarning {
  readonly type: 'file_too_large' | 'line_too_long' | 'too_many_patterns' | 'too_many_wildcards';
  readonly line: number;
  readonly lines: number;
}

export interface IgnorePatterns {
  readonly patterns: readonly IgnorePattern[];
  /** At most one of each type. */
  readonly warnings: readonly IgnoreWarning[];
}

/** The patterns of a file, at most `maxPatterns` of them. Of a file that is too large the first whole lines count. */
export function ignorePatternsOf(file: Uint8Array, maxPatterns: number): IgnorePatterns {
  const { ignoreFileBytes, ignoreLineBytes, ignoreDoubleStars } = libraryLimits;
  const lines = byteText(file.subarray(0, ignoreFileBytes))
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .split('\n');
  const patterns: IgnorePattern[] = [];
  const leftOut = new Map<IgnoreWarning['type'], IgnoreWarning>();
  const leaveOut = (type: IgnoreWarning['type'], line: number): void => {
    const { line: first, lines: count } = leftOut.get(type) ?? { line, lines: 0 };
    leftOut.set(type, { type, line: first, lines: count + 1 });
  };
  // Half a pattern could hide more than the whole one.
  if (file.length > ignoreFileBytes) {
    lines.pop();
    leaveOut('file_too_large', lines.length + 1);
  }
  lines.forEach((withEnd, index) => {
    const pattern = patternOf(withEnd);
    if (pattern === null) return;
    if (withEnd.length > ignoreLineBytes) leaveOut('line_too_long', index + 1);
    else if ((pattern.body.match(/\*{2,}/g)?.length ?? 0) > ignoreDoubleStars)
      leaveOut('too_many_wildcards', index + 1);
    else if (patterns.length >= maxPatterns) leaveOut('too_many_patterns', index + 1);
    else patterns.push(pattern);
  });
  return { patterns, warnings: [...leftOut.values()] };
}

/** The pattern of a line; null for a blank one and for a comment. */
function patternOf(withEnd: string): IgnorePattern | null {
  // Git's lines are strings of C: one CR belongs to the end, and a NUL is the end.
  const line = withEnd.replace(/\r$/, '').replace(/\0.*$/s, '');
  if (line.startsWith('#') || /^ *$/.test(line)) return null;
  const isNegative = line.startsWith('!');
  return { body: isNegative ? line.slice(1) : line, isNegative };
}
