// The two forms of a result: a document for programs, or text for people.

/** Prints the report as JSON when that was asked for, otherwise what `describe` makes of it. */
export function printReport<T>(
  report: T,
  asJson: boolean | undefined,
  describe: (report: T) => string,
): void {
  process.stdout.write(`${asJson === true ? JSON.stringify(report, null, 2) : describe(report)}\n`);
}

/** One object a line, for streams. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A text from an origin or a tag, without what could steer a terminal. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?');
}
