/**
 * Protobuf strings as JavaScript strings and back without loss. Bytes that are not valid UTF-8 become the lone
 * surrogates U+DC80..U+DCFF, one a byte, as Python's `surrogateescape` (PEP 383) does; valid UTF-8 never gives those.
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.byteLength <= SHORT) {
    const short = shortAscii(bytes);
    if (short !== undefined) return short;
  }
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** Size of `text` on the wire. */
export function textSizeBytes(text: string): number {
  if (text.length <= SHORT && isAscii(text)) return text.length;
  return ESCAPED_BYTE.test(text) ? encodeEscaped(text).byteLength : Buffer.byteLength(text, 'utf8');
}

/** The inverse of `decodeText`. A lone surrogate that stands for no byte becomes U+FFFD. */
export function encodeText(text: string): Uint8Array {
  return ESCAPED_BYTE.test(text) ? encodeEscaped(text) : Buffer.from(text, 'utf8');
}

/** True when every character is one byte on the wire. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

const SHORT = 128;
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// With the `u` flag a surrogate pair is one code point, so this finds lone surrogates only.
const ESCAPED_BYTE = /[\uDC80-\uDCFF]/u;

/** Names are short and ASCII: going over them is faster than calling into the strict decoder. */
function shortAscii(bytes: Uint8Array): string | undefined {
  for (let index = 0; index < bytes.length; index++) if ((bytes[index] ?? 0) >= 0x80) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.byteLength) {
    const size = sequenceSize(bytes, at);
    text +=
      size === 0
        ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
        : STRICT_UTF8.decode(bytes.subarray(at, at + size));
    at += Math.max(size, 1);
  }
  return text;
}

/** Size of the valid UTF-8 sequence that starts at `at`, 0 when there is none (RFC 3629, section 4). */
function sequenceSize(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let next = 2; next < size; next++) {
    if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return size;
}

function encodeEscaped(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const piece of text.split(/([\uDC80-\uDCFF])/u)) {
    const isByte = piece.length === 1 && ESCAPED_BYTE.test(piece);
    parts.push(isByte ? Uint8Array.of(piece.charCodeAt(0) - 0xdc00) : Buffer.from(piece, 'utf8'));
  }
  return Buffer.concat(parts);
}
