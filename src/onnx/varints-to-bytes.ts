/** Number of varints in a packed run: every one ends with a byte below 0x80. */
export function countVarints(varints: Uint8Array): number {
  let count = 0;
  for (const byte of varints) if (byte < 0x80) count += 1;
  return count;
}

/**
 * The low `width` bytes of every varint of a packed run, little-endian. Negative numbers are sign-extended varints,
 * so their low bytes are the two's complement. Bits beyond `width` bytes are dropped, as ONNX Runtime does.
 */
export function varintsToBytes(varints: Uint8Array, width: number): Uint8Array {
  const bytes = new Uint8Array(countVarints(varints) * width);
  let start = 0;
  let low = 0;
  let high = 0;
  let shift = 0;
  for (const byte of varints) {
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >>> 4;
    } else if (shift < 64) high |= bits << (shift - 32);
    shift += 7;
    if (byte >= 0x80) continue;
    for (let index = 0; index < width; index++) {
      bytes[start + index] = index < 4 ? low >>> (8 * index) : high >>> (8 * (index - 4));
    }
    start += width;
    low = 0;
    high = 0;
    shift = 0;
  }
  return bytes;
}
