// Text in the code page that programs used before Unicode (`library.legacy_charset`), whatever its tag declares: bytes that
// are no UTF-8 where UTF-8 is promised, and text declared ISO 8859-1, which Windows programs wrote in the code page of
// their country. Used in the parser's child only, by one file at a time.

import { TextDecoder } from 'node:util';

/** Every byte has a meaning there. */
const western = 'windows-1252';

export class LegacyText {
  private readonly charset: TextDecoder;

  constructor(charset: string) {
    this.charset = new TextDecoder(charset, { fatal: true });
  }

  /**
   * What a text was meant to be that came out of its tag as ISO 8859-1 or as something else, which cannot be told any
   * more: it was single bytes if those `isStored` in the file.
   */
  fromLatin1(text: string, isStored: (bytes: Buffer) => boolean): string {
    if (!/[\u0080-\u00ff]/.test(text) || /[^\u0000-\u00ff]/.test(text)) return text;
    const bytes = Buffer.from(text, 'latin1');
    const isWestern = this.charset.encoding === western;
    // Nobody writes the control characters that Windows-1252 puts quotes and dashes in the place of.
    if (isWestern ? /[\u0080-\u009f]/.test(text) : isStored(bytes)) return this.decode(bytes);
    return text;
  }

  /** Bytes that are no UTF-8. */
  decode(bytes: Uint8Array): string {
    try {
      return this.charset.decode(bytes);
    } catch {
      return new TextDecoder(western).decode(bytes);
    }
  }
}

/**
 * From now on what is read as UTF-8 in this process, by whatever library, and is none, is read in the code page that
 * `current` gives.
 */
export function tolerateBadUtf8(current: () => LegacyText): void {
  const strict = new TextDecoder('utf-8', { fatal: true });
  globalThis.TextDecoder = class extends TextDecoder {
    override decode(...args: Parameters<TextDecoder['decode']>): string {
      const text = super.decode(...args);
      const bytes: unknown = args[0];
      if (this.encoding !== 'utf-8' || this.fatal || !text.includes('\ufffd')) return text;
      if (!(bytes instanceof Uint8Array)) return text;
      try {
        return strict.decode(bytes);
      } catch {
        return current().decode(bytes);
      }
    }
  };
}
