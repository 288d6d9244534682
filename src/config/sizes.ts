// Sizes as people write them: a number with its unit.
const units: Readonly<Record<string, number>> = {
  ...{ B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 },
};

export const sizeHint = 'a size is a number with its unit: "20GiB", "500MB"';

/** Bytes of "20GiB"; NaN when it is no size. */
export function bytesOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text) ?? [];
  return Math.round(Number(number) * (units[unit.toUpperCase()] ?? Number.NaN));
}

export function isSize(text: string): boolean {
  return Number.isSafeInteger(bytesOf(text));
}
