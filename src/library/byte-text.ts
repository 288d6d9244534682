// Bytes held as text, one character (U+0000 to U+00FF) a byte, as RealPath holds a path: what is read from files that
// speak of paths is brought into this form, so that it can be compared with the names of an origin byte by byte.

const utf8 = new TextEncoder();

/** Bytes as characters. */
export function byteText(bytes: Uint8Array): string {
  // As many arguments as every engine's stack takes.
  const step = 8192;
  let text = '';
  for (let at = 0; at < bytes.length; at += step) {
    // Spreading goes over an iterator and takes several times as long.
    text += Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + step));
  }
  return text;
}

/** Characters as bytes. */
export function bytesOfText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** The bytes of a text in UTF-8, as characters. */
export function utf8ByteText(text: string): string {
  // Plain ASCII is the same in both forms.
  return /^[\u0000-\u007f]*$/.test(text) ? text : byteText(utf8.encode(text));
}
